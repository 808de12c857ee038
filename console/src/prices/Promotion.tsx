// Decision served: what will this promotion cost on a basket, before it holds?
import { Button, Modal, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { useMe } from '../session/session';
import { ErrorNote, InlineError } from '../ui/base';
import * as f from '../ui/format';
import { say } from '../ui/toast';

type Rule = components['schemas']['RuleBody'];
interface Line { id: string; discounts: { promotion: string; minor: number; why: string }[]; total_minor: number }
interface Priced { lines: Line[]; totals: { total_minor: number; discount_minor: number }; applied: { promotion: string; minor: number }[]; not_applied: { promotion: string; why: string }[] }

const NEW = { id: 'new-promotion', effects: [{ kind: 'percent', percent: 10 }] };
const pretty = (value: unknown) => JSON.stringify(value, null, 2);

/** What a text says, or why it says nothing. */
function read(text: string): { value?: Record<string, unknown>; wrong?: string } {
  try {
    return { value: JSON.parse(text) as Record<string, unknown> };
  } catch (e) {
    return { wrong: (e as Error).message };
  }
}

export function Editor({ rule, close }: { rule: Rule | null; close: () => void }) {
  const { t } = useTranslation();
  const { shop } = useMe();
  const client = useQueryClient();
  const [text, setText] = useState(pretty(rule?.document ?? NEW));
  const [basket, setBasket] = useState(pretty({ currency: shop.currency, lines: [{ id: '1', sku: 'SKU-1', quantity: 2, price_minor: 50000 }] }));
  const document = read(text);
  const tried = read(basket);
  const id = rule?.id ?? String(document.value?.id ?? '');
  const money = (minor: number) => f.money({ minor, currency: shop.currency });
  const attempt = useMutation({
    mutationFn: async () => (await must(api.POST('/api/v1/baskets/price', { body: { basket: tried.value as never, promotions: { promotions: [document.value] } as never } }))) as unknown as Priced,
  });
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/promotions/{id}', { params: { path: { id } }, headers: rule ? { 'if-match': `"v${rule.version}"` } : {}, body: { document: document.value as never } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['promotions'] });
      say(t('prices.kept', { id }));
      close();
    },
  });
  return (
    <Modal opened onClose={close} size={760} title={rule ? t('prices.editing', { id: rule.id }) : t('prices.newPromotion')} closeButtonProps={{ 'aria-label': t('close') }}>
      <form className="fields expr" style={{ maxWidth: 'none' }} onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
        <Textarea label={t('prices.document')} description={t('prices.promotionsText')} autosize minRows={6} maxRows={18} spellCheck={false} value={text} onChange={(e) => setText(e.currentTarget.value)} error={Boolean(document.wrong)} data-testid="promotion-text" />
        {document.wrong && <InlineError>{t('prices.notJson', { detail: document.wrong })}</InlineError>}
        <Textarea label={t('prices.basket')} autosize minRows={4} maxRows={12} spellCheck={false} value={basket} onChange={(e) => setBasket(e.currentTarget.value)} error={Boolean(tried.wrong)} />
        {tried.wrong && <InlineError>{t('prices.notJson', { detail: tried.wrong })}</InlineError>}
        <div><Button variant="default" type="button" loading={attempt.isPending} disabled={Boolean(document.wrong || tried.wrong)} onClick={() => attempt.mutate()} data-testid="promotion-try">{t('prices.try')}</Button></div>
        {attempt.error && <ErrorNote error={attempt.error} kept={t('error.formKept')} />}
        <div aria-live="polite">
          {attempt.data && (
            <div className="col g4" data-testid="promotion-tried">
              <b>{t('prices.total', { total: money(attempt.data.totals.total_minor), discounts: money(attempt.data.totals.discount_minor) })}</b>
              <ul className="line-list">
                {attempt.data.lines.map((line) => <li key={line.id} className="row g12"><span className="sp el">{line.id}: {line.discounts.map((d) => d.why).join('; ') || f.NONE}</span><span>{money(line.total_minor)}</span></li>)}
                {attempt.data.not_applied.map((n) => <li key={n.promotion} className="m2">{n.promotion}: {n.why}</li>)}
              </ul>
            </div>
          )}
        </div>
        {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="subtle" type="button" onClick={close}>{t('cancel')}</Button>
          <Button type="submit" loading={save.isPending} disabled={Boolean(document.wrong) || !id} data-testid="promotion-save">{t('prices.keep')}</Button>
        </div>
      </form>
    </Modal>
  );
}
