import { Button, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { RightButton, useRight } from '../session/rights';
import { EmptyState, ErrorNote, InlineError, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { say } from '../ui/toast';

/** The plan as text: what is wrong stands beside its line, and every version can be taken up again. */
export function PlanEditor({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('sources:write');
  const path = { params: { path: { id } } };
  const plan = useQuery({ queryKey: ['plan', id], queryFn: () => must(api.GET('/api/v1/sources/{id}/plan', path)) });
  const versions = useQuery({ queryKey: ['plan-versions', id], queryFn: () => must(api.GET('/api/v1/sources/{id}/plan/versions', { params: { path: { id }, query: { limit: 50 } } })) });
  const [draft, setDraft] = useState<string | null>(null);
  const text = draft ?? plan.data?.text ?? '';
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/sources/{id}/plan', { ...path, body: { text } })),
    onSuccess: (p) => {
      client.setQueryData(['plan', id], p);
      setDraft(null);
      void client.invalidateQueries({ queryKey: ['plan-versions', id] });
      void client.invalidateQueries({ queryKey: ['source', id] });
      say(p.job_id ? <>{t('plan.rereading')} <Link to="/jobs" search={{ sel: p.job_id }}>{t('plan.watch')}</Link></> : t('plan.saved', { n: f.number(p.version) }));
    },
  });
  const refused = save.error instanceof Problem ? save.error.errors.filter((e) => e.line) : [];
  const lines = text.split('\n');
  return (
    <div className="sg">
      <Panel title={t('source.plan')} count={plan.data?.version ? t('plan.version', { n: f.number(plan.data.version) }) : undefined} query={plan} skeleton={8}>
        {() => (
          <form className="body col g12" onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
            <Textarea className="expr" aria-label={t('source.plan')} description={t('plan.help')} inputWrapperOrder={['input', 'description', 'error']} autosize minRows={14} maxRows={32} readOnly={!may} spellCheck={false} placeholder={'preset ga4\nalias "purchase_done" = "Order Completed"\nunknown events warn\n\nevent "Order Completed" warn\n  order_id text required\n  total number required'} value={text} onChange={(e) => { setDraft(e.currentTarget.value); save.reset(); }} data-testid="plan-text" />
            {refused.length > 0 && (
              <ul className="col g4" data-testid="plan-errors">
                {refused.map((e, i) => <li key={i} className="col"><InlineError>{t('plan.lineError', { line: f.number(e.line!), text: e.detail })}</InlineError><code className="mono m2">{lines[e.line! - 1]}</code></li>)}
              </ul>
            )}
            {save.error && refused.length === 0 && <ErrorNote error={save.error} kept={t('error.formKept')} />}
            <div className="form-actions">
              <RightButton right="sources:write" type="submit" loading={save.isPending} disabled={may && (draft === null || draft === plan.data?.text)} data-testid="plan-save">{t('plan.save')}</RightButton>
              {draft !== null && draft !== plan.data?.text && <Button variant="subtle" onClick={() => { setDraft(null); save.reset(); }}>{t('plan.discard')}</Button>}
            </div>
          </form>
        )}
      </Panel>
      <Panel title={t('plan.versions')} query={versions} empty={(v) => v.items.length === 0} emptyText={<EmptyState title={t('plan.noVersions')}>{t('plan.noVersionsText')}</EmptyState>}>
        {(v) => (
          <div className="counts">
            {v.items.map((x) => (
              <div key={x.version} data-testid="plan-version">
                <span className="col"><b>{t('plan.version', { n: f.number(x.version) })}</b><span className="t12">{x.actor} · {x.created_at && <When at={x.created_at} />}</span></span>
                {may && x.text !== text && <button type="button" className="textlink" onClick={() => { setDraft(x.text); save.reset(); }}>{t('plan.take')}</button>}
              </div>
            ))}
          </div>
        )}
      </Panel>
    </div>
  );
}
