import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { CustomerRow } from '../api/types';
import { ErrorNote, Skeleton } from '../ui/base';
import * as f from '../ui/format';

export const rowName = (r: CustomerRow) => r.name || r.email || (r.phone ? f.phone(r.phone) : `№ ${r.person_id}`);

/** Finds another customer by a name or an identifier, to say something about the two. */
export function PersonSearch({ label, exclude, choose }: { label: string; exclude: string[]; choose: (row: CustomerRow) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [query] = useDebouncedValue(text.trim(), 200);
  const found = useQuery({ queryKey: ['merge-search', query], enabled: query.length > 1, queryFn: () => must(api.GET('/api/v1/customers', { params: { query: { query, limit: 7 } } })) });
  const rows = found.data?.items.filter((r) => !exclude.includes(r.person_id));
  return (
    <div className="col g12">
      <TextInput data-autofocus label={label} placeholder={t('merge.searchExample')} value={text} onChange={(e) => setText(e.currentTarget.value)} data-testid="merge-search" />
      {found.error && <ErrorNote error={found.error} retry={() => void found.refetch()} />}
      {query.length > 1 && found.isPending && <Skeleton rows={3} height={40} />}
      {rows?.length === 0 && <p className="m2" role="status">{t('merge.nobody', { query })}</p>}
      <ul className="line-list">
        {rows?.map((r) => (
          <li key={r.person_id} className="row" style={{ minHeight: 44 }}>
            <div className="col sp">
              <span className="b el">{rowName(r)}</span>
              <span className="t12 m2 el">{[r.phone && f.phone(r.phone), r.email, r.city].filter(Boolean).join(' · ')}</span>
            </div>
            <button type="button" className="chip" onClick={() => choose(r)} data-testid="merge-choose">{t('merge.choose')}<span className="hidden-text"> {rowName(r)}</span></button>
          </li>
        ))}
      </ul>
    </div>
  );
}
