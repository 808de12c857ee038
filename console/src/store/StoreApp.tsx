// Decision served: what do I do next in this shop, from which shelf, and by when?
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { told } from '../api/stream';
import { dueText, useNow } from '../orders/parts';
import { queueQuery } from '../orders/query';
import { useMe } from '../session/session';
import { usePlaces } from '../stock/parts';
import { Avatar, ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { IconBuildingStore, IconClipboardList, IconDots, IconPackage, IconSearch, IconShoppingBag, IconUserCircle } from '../ui/icons';
import { Logo } from '../ui/Logo';
import { type Tab, useAddress } from './address';
import { Advice } from './Advice';
import { Client } from './Client';
import { Find } from './Find';
import { NewOrderForm } from './NewOrder';
import { Still } from './Still';
import { useStoreLive } from './live';
import { Work } from './Work';

export function StoreApp() {
  const { t } = useTranslation();
  const me = useMe();
  const [now, go] = useAddress();
  useStoreLive();
  const places = usePlaces();
  const place = places.own.find((l) => l.id === now.at);
  const queue = useQuery(queueQuery(place ? now.at : ''));
  if (!me.rights.includes('orders:read')) return <main className="store-one"><h1>{t('store.title')}</h1><p>{t('store.locked')}</p><a href="/" className="sbtn">{t('store.console')}</a></main>;
  if (!places.ready) return null;
  if (!place) return <Choose choose={(at) => go({ at, sel: '' }, true)} />;
  const items = queue.data?.items;
  const picks = items?.filter((q) => !q.ready_at) ?? [];
  const hands = items?.filter((q) => q.ready_at) ?? [];
  const tabs: { id: Tab; name: string; n?: number; icon: typeof IconPackage }[] = [
    { id: 'pick', name: t('store.tab.pick'), n: picks.length, icon: IconClipboardList },
    { id: 'hand', name: t('store.tab.hand'), n: hands.length, icon: IconShoppingBag },
    { id: 'find', name: t('store.tab.find'), icon: IconSearch },
    { id: 'who', name: t('store.tab.who'), icon: IconUserCircle },
    { id: 'new', name: t('store.tab.newShort'), icon: IconPackage },
    { id: 'more', name: t('store.tab.more'), icon: IconDots },
  ];
  return (
    <div className="storeapp">
      <header className="store-top">
        <Logo />
        <button type="button" className="store-place" onClick={() => go({ tab: 'more' })} data-testid="store-place"><b className="el">{place.name || place.id}</b><span className="el">{t(`place.kind.${place.kind}`)}</span></button>
        <nav className="store-tabs" aria-label={t('store.title')}>
          {tabs.map((x) => (
            <button key={x.id} type="button" className={now.tab === x.id ? 'on' : ''} aria-current={now.tab === x.id ? 'page' : undefined} onClick={() => go({ tab: x.id, sel: '', sku: '', who: '', talk: '' })} data-testid={`store-tab-${x.id}`}>
              <x.icon /><span>{x.name}</span>{x.n !== undefined && items && <i>{f.number(x.n)}</i>}
            </button>
          ))}
        </nav>
        <Fresh at={queue.dataUpdatedAt} failed={Boolean(queue.error) || queue.failureCount > 0} />
        <span className="store-me" title={me.name || me.email}><Avatar name={me.name || me.email} /></span>
      </header>
      <main className="store-main" id="content">
        <Still at={now.at} />
        {(now.tab === 'pick' || now.tab === 'hand') && (queue.error && !items ? <div className="store-one"><ErrorNote error={queue.error} retry={() => void queue.refetch()} /></div> : <Work key={now.tab} kind={now.tab} items={items && (now.tab === 'pick' ? picks : hands)} sel={now.sel} select={(sel, replace) => go({ sel }, replace)} at={now.at} />)}
        {now.tab === 'find' && <Find at={now.at} sku={now.sku} go={(sku) => go({ sku })} />}
        {now.tab === 'who' && (now.talk ? <Advice key={now.talk} at={now.at} id={now.talk} back={() => go({ talk: '' })} /> : <Client at={now.at} who={now.who} go={go} />)}
        {now.tab === 'new' && <NewOrderForm key={now.who} at={now.at} who={now.who} />}
        {now.tab === 'more' && <More at={now.at} change={() => { try { localStorage.removeItem('braid-store-place'); } catch { /* asked again */ } go({ at: '', sel: '', tab: 'pick' }); }} />}
      </main>
    </div>
  );
}

/** Whether what is shown is what the server has. */
function Fresh({ at, failed }: { at: number; failed: boolean }) {
  const { t } = useTranslation();
  const now = useNow();
  if (!at) return <span className="store-fresh" />;
  // What is told of need not be asked for: then it is as old as the last change.
  const old = failed || (told.state !== 'whole' && now - at > 40_000);
  return <span className={`store-fresh ${old ? 'old' : ''}`} role="status"><i aria-hidden="true" /><span>{old ? t('store.stale', { time: f.clock(at) }) : t('store.fresh')}</span></span>;
}

function Choose({ choose }: { choose: (id: string) => void }) {
  const { t } = useTranslation();
  const places = usePlaces();
  return (
    <main className="store-one" data-testid="store-choose">
      <h1>{t('store.choose')}</h1>
      <p className="m2">{t('store.chooseText')}</p>
      <ul className="store-choices">
        {places.own.filter((l) => l.kind !== 'locker').map((l) => <li key={l.id}><button type="button" className="sbtn wide" onClick={() => choose(l.id)}><IconBuildingStore /><span className="col"><b>{l.name || l.id}</b>{l.address && <span className="m2">{l.address}</span>}</span></button></li>)}
      </ul>
      {places.own.length === 0 && <p>{t('stock.noPlacesText')}</p>}
    </main>
  );
}

function More({ at, change }: { at: string; change: () => void }) {
  const { t } = useTranslation();
  const to = (href: string, name: string, note: string) => <li><a href={href} className="sbtn wide"><span className="col"><b>{name}</b><span className="m2">{note}</span></span></a></li>;
  return (
    <div className="store-one">
      <h1>{t('store.tab.more')}</h1>
      <ul className="store-choices">
        {to('/transfers', t('nav.transfers'), t('store.transfersNote'))}
        {to('/purchases', t('nav.purchases'), t('store.purchasesNote'))}
        {to('/counts', t('nav.counts'), t('store.countsNote'))}
        {to('/orders', t('nav.orders'), t('store.ordersNote'))}
        {to(`/api/v1/locations/${encodeURIComponent(at)}/shelf-codes`, t('store.codes'), t('store.codesNote'))}
        <li><button type="button" className="sbtn wide" onClick={change} data-testid="store-change"><span className="col"><b>{t('store.change')}</b><span className="m2">{t('store.changeNote')}</span></span></button></li>
      </ul>
    </div>
  );
}

/** The time that is left, big or in a list; late in words, too. */
export function Due({ at, big }: { at: string; big?: boolean }) {
  const { t } = useTranslation();
  const now = useNow();
  const d = dueText(at, now);
  return <time dateTime={at} className={`due ${big ? 'huge' : ''} ${d.late ? 'bad-text' : d.soon ? 'warn-text' : ''}`} data-testid={big ? 'due-big' : 'due'}><b>{d.text}</b>{(d.late || big) && <span>{d.late ? t('store.late') : t('store.promised', { time: f.time(at) })}</span>}</time>;
}
