// Decision served: where is it, and can the customer have it?
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { SkuField, usePlaces, useSku } from '../stock/parts';
import { skuQuery } from '../stock/query';
import { ErrorNote, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { CameraButton } from './Camera';

export function Find({ at, sku, go }: { at: string; sku: string; go: (sku: string) => void }) {
  const { t } = useTranslation();
  const look = useSku();
  const places = usePlaces();
  const [wrong, setWrong] = useState('');
  const stock = useQuery({ ...skuQuery(sku), enabled: sku !== '', refetchInterval: 10_000 });
  const open = async (text: string) => go((await look(text)).sku);
  const s = stock.data;
  const here = s?.items.find((i) => i.location_id === at);
  const rest = s?.items.filter((i) => i.location_id !== at).sort((a, b) => b.available - a.available) ?? [];
  return (
    <div className="store-one wide-one">
      <h1>{t('store.tab.find')}</h1>
      <div className="row g12 wrap-row bigfield"><SkuField onSku={open} everywhere width="min(100%, 420px)" label={t('store.findGoods')} testId="store-find" error={wrong || undefined} /><CameraButton label={t('store.scan')} found={(text) => { setWrong(''); void open(text).catch(() => setWrong(t('stock.noSku', { sku: text }))); }} /></div>
      {!sku && <p className="m2">{t('store.findText')}</p>}
      {sku && stock.error && <ErrorNote error={stock.error} retry={() => void stock.refetch()} />}
      {sku && !s && !stock.error && <Skeleton rows={4} height={56} />}
      {s && (
        <section aria-label={s.name || s.sku}>
          <h2 className="found">{s.name || s.sku}</h2>
          <p className="m2 mono t14">{s.sku}</p>
          <p className="row g12 here" data-testid="here"><b className="sum">{f.number(here?.available ?? 0)}</b><span>{t('store.here')}</span>{here && here.on_hand !== here.available && <span className="m2">{t('store.onHandIs', { n: f.number(here.on_hand) })}</span>}</p>
          <ul className="store-rows">
            {rest.map((i) => <li key={i.location_id} className="row g16"><span className="sp">{places.name(i.location_id)}</span><span className="m2">{i.reserved > 0 ? t('store.reservedIs', { n: f.number(i.reserved) }) : ''}</span><b className={i.available > 0 ? '' : 'm'}>{f.number(i.available)}</b></li>)}
          </ul>
          {s.incoming.length > 0 && <p className="m2">{t('store.incoming', { n: f.number(s.incoming.reduce((n, i) => n + i.quantity, 0)), day: s.incoming[0]!.expected_at ? f.dayMonth(s.incoming[0]!.expected_at) : t('store.someDay') })}</p>}
        </section>
      )}
    </div>
  );
}
