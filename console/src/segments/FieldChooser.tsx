import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { SegmentFields } from '../api/types';

type Field = SegmentFields['fields'][number];

const quoted = (s: string) => JSON.stringify(s);
/** A condition to begin with: what it can be is filled in where that is a fixed list. */
const starter = (x: Field): string => (x.kind === 'number' ? `${x.path} >= 1` : x.kind === 'bool' ? `${x.path} = true` : `${x.path} = ${quoted(x.options[0] ?? '')}`);

/** Everything that a condition can ask for, found by what one types; what is chosen goes where the cursor stands. */
export function FieldChooser({ insert }: { insert: (text: string) => void }) {
  const { t } = useTranslation();
  const fields = useQuery({ queryKey: ['segment-fields'], queryFn: () => must(api.GET('/api/v1/segment-fields')), staleTime: 60_000 });
  const origins = { derived: t('fields.derived'), computed: t('fields.computed'), sent: t('fields.sent'), identifier: t('fields.identifier'), consent: t('fields.consent') };
  const label = (x: Field) => (x.doc ? `${x.path}: ${x.doc}` : x.path);
  const groups = (['computed', 'derived', 'sent', 'consent', 'identifier'] as const).map((o) => ({
    group: origins[o],
    items: (fields.data?.fields ?? []).filter((x) => x.origin === o).map((x) => ({ value: starter(x), label: label(x) })),
  }));
  const events = (fields.data?.events ?? []).flatMap((e) => [
    { value: `count(${quoted(e.name)} in last 30 days) >= 1`, label: `count(${quoted(e.name)})` },
    ...e.properties.slice(0, 8).map((p) => ({ value: `count(${quoted(e.name)} where properties.${p.name} = "") >= 1`, label: `${e.name}: ${p.name}` })),
  ]);
  const seen = new Set<string>();
  const once = (list: { value: string; label: string }[]) => list.filter((x) => !seen.has(x.value) && seen.add(x.value));
  const data = [...groups, { group: t('fields.events'), items: events }].map((g) => ({ ...g, items: once(g.items) })).filter((g) => g.items.length > 0);
  return (
    <Select
      aria-label={t('fields.insert')}
      placeholder={t('fields.insert')}
      searchable
      limit={60}
      value={null}
      nothingFoundMessage={t('fields.none')}
      data={data}
      onChange={(v) => v && insert(v)}
      maw={480}
      data-testid="field-chooser"
    />
  );
}
