import { Popover } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../../api/client';
import { useRight } from '../../session/rights';
import { Badge, When } from '../base';
import * as f from '../format';
import { IconHistory } from '../icons';
import { say, sayError } from '../toast';
import { editsQuery } from './query';

export function useUndoEdit() {
  const { t } = useTranslation();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => must(api.POST('/api/v1/bulk-edits/{id}/undo', { params: { path: { id } } })),
    onSuccess: (r) => {
      for (const key of ['bulk-edits', 'customers', 'person', 'segments', 'segment-members']) void client.invalidateQueries({ queryKey: [key] });
      say(r.passed ? t('edits.undonePart', { n: f.number(r.changed), passed: f.number(r.passed) }) : t('edits.undone', { count: r.changed, n: f.number(r.changed) }));
    },
    onError: sayError,
  });
}

/** Changes of many customers, each with its way back: today, after a reload, next week. */
export function RecentChanges() {
  const { t } = useTranslation();
  const may = useRight('customers:write');
  const edits = useQuery(editsQuery);
  const undo = useUndoEdit();
  const [open, setOpen] = useState(false);
  if (!edits.data?.length) return null;
  return (
    <Popover opened={open} onChange={setOpen} width={420} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <button type="button" className="chip" aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)} data-testid="recent-changes"><IconHistory className="s" /> {t('edits.recent')}</button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('edits.recent')}>
        <ul className="line-list">
          {edits.data.map((e) => (
            <li key={e.id} className="row g12" style={{ minHeight: 48 }}>
              <div className="col sp">
                <span className="b el" title={e.title}>{e.title}</span>
                <span className="t12 m2 el">{[t('people', { count: e.changed, n: f.number(e.changed) }), e.actor].join(' · ')} · <When at={e.at} /></span>
              </div>
              {e.undone_at ? <Badge>{t('edits.takenBack')}</Badge> : may && <button type="button" className="chip" disabled={undo.isPending} onClick={() => undo.mutate(e.id)} data-testid="undo-edit">{t('toast.undo')}</button>}
            </li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
}
