import { Popover, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Stream } from '../api/stream';
import type { Strand } from '../api/types';
import { STRANDS } from '../ui/base';
import * as f from '../ui/format';
import { countsQuery, customerPageQuery, type HistoryFilter } from './query';
import { Timeline } from './Timeline';

export const kindTitle = (k: { id: string; title: string }): string => (i18next.exists(`kind.${k.id}`) ? i18next.t(`kind.${k.id}`) : k.title);

/** What happened to a customer: the kinds that the reader may see, with how many there are, a lane, and a span of days. */
export function History({ id, events, filter, change, stream }: { id: string; events: number | undefined; filter: HistoryFilter; change: (f: HistoryFilter) => void; stream: Stream | null }) {
  const { t } = useTranslation();
  const page = useQuery(customerPageQuery);
  const counts = useQuery(countsQuery(id));
  const count = (kind: string) => counts.data?.kinds.find((k) => k.kind === kind)?.count ?? 0;
  // A kind without entries is no choice, unless it is the one that was chosen.
  const kinds = (page.data?.kinds ?? []).filter((k) => count(k.id) > 0 || filter.kinds.includes(k.id));
  const toggle = (kind: string) => change({ ...filter, kinds: filter.kinds.includes(kind) ? filter.kinds.filter((k) => k !== kind) : [...filter.kinds, kind] });
  const narrowed = filter.kinds.length > 0 || filter.channel || filter.from || filter.to;
  const more = [filter.channel && t(`strand.${filter.channel}` as 'strand.online'), filter.from && t('history.since', { day: f.date(filter.from) }), filter.to && t('history.until', { day: f.date(filter.to) })].filter(Boolean).join(' · ');
  return (
    <section className="card scroll" aria-label={t('person.history')}>
      <header>
        <h2>{t('person.history')}</h2>
        <span className="m">{events === undefined ? '' : f.number(events)}</span>
        <span className="sp" />
        <Popover position="bottom-end" width={300} trapFocus withRoles>
          <Popover.Target>
            <button type="button" className={`chip${filter.channel || filter.from || filter.to ? ' on' : ''}`} data-testid="history-more">{more || t('history.more')}</button>
          </Popover.Target>
          <Popover.Dropdown aria-label={t('history.more')}>
            <div className="fields">
              <Select
                label={t('history.channel')}
                placeholder={t('history.anyChannel')}
                clearable
                value={filter.channel ?? null}
                onChange={(v) => change({ ...filter, channel: (v as Strand | null) ?? undefined })}
                data={STRANDS.map((s) => ({ value: s, label: t(`strand.${s}` as 'strand.online') }))}
                comboboxProps={{ withinPortal: false }}
                data-testid="history-channel"
              />
              <TextInput type="date" label={t('history.from')} max={filter.to} value={filter.from ?? ''} onChange={(e) => change({ ...filter, from: e.currentTarget.value || undefined })} data-testid="history-from" />
              <TextInput type="date" label={t('history.to')} min={filter.from} value={filter.to ?? ''} onChange={(e) => change({ ...filter, to: e.currentTarget.value || undefined })} data-testid="history-to" />
            </div>
          </Popover.Dropdown>
        </Popover>
      </header>
      <div className="row note-row" role="group" aria-label={t('person.historyKind')} style={{ flexWrap: 'wrap' }}>
        {kinds.map((k) => (
          <button key={k.id} type="button" className={`chip${filter.kinds.includes(k.id) ? ' on' : ''}`} aria-pressed={filter.kinds.includes(k.id)} onClick={() => toggle(k.id)} data-testid={`kind-${k.id}`}>
            {kindTitle(k)} {counts.data && <b>{counts.data.complete ? f.number(count(k.id)) : t('history.atLeast', { n: f.number(count(k.id)) })}</b>}
          </button>
        ))}
        {narrowed && <button type="button" className="textlink t12" onClick={() => change({ kinds: [], channel: undefined, from: undefined, to: undefined })}>{t('history.everything')}</button>}
      </div>
      <Timeline id={id} filter={filter} stream={stream} />
    </section>
  );
}
