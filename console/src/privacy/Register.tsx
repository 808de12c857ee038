import { Button, Modal, Switch, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { ActLink } from '../session/Guarded';
import { EmptyState, ErrorNote, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { IconExternalLink, IconPlus } from '../ui/icons';
import { say } from '../ui/toast';

type Purpose = components['schemas']['Purpose'];

/** The register of processing purposes: what is done with data, on which ground, for how long. */
export function Register() {
  const { t, i18n } = useTranslation();
  const [editing, setEditing] = useState<Purpose | 'new' | null>(null);
  const register = useQuery({ queryKey: ['privacy-register'], queryFn: () => must(api.GET('/api/v1/privacy/purposes')) });
  return (
    <>
      <Panel
        title={t('privacy.register')}
        count={register.data?.items.filter((p) => !p.archived).length}
        query={register}
        right={<span className="row g12"><ActLink right="privacy:write" onClick={() => setEditing('new')}><IconPlus className="s" /> {t('privacy.addPurpose')}</ActLink><a className="row g4" href={`/api/v1/privacy/purposes?format=html&language=${i18n.language}`} target="_blank" rel="noreferrer">{t('privacy.print')}<IconExternalLink className="s" /></a></span>}
        empty={(x) => x.items.length === 0}
        emptyText={<EmptyState title={t('privacy.noPurposes')} />}
      >
        {(x) => (
          <>
            <div className="tbl" tabIndex={0} role="group" aria-label={t('privacy.register')}>
              <table>
                <thead><tr><th scope="col" style={{ width: '20%' }}>{t('privacy.purpose')}</th><th scope="col">{t('privacy.ground')}</th><th scope="col">{t('privacy.categories')}</th><th scope="col" style={{ width: '18%' }}>{t('privacy.retention')}</th><th scope="col" style={{ width: '15%' }}>{t('privacy.recipients')}</th><th scope="col" style={{ width: 90 }}><span className="hidden-text">{t('privacy.editPurpose')}</span></th></tr></thead>
                <tbody>
                  {x.items.filter((p) => !p.archived).map((p) => (
                    <tr key={p.purpose} className="row-data" data-testid="purpose-row">
                      <td style={{ height: 40 }} className="b" title={p.purpose}>{p.purpose}</td><td title={p.ground}>{p.ground}</td><td className="m2" title={p.categories}>{p.categories}</td><td className="m2" title={p.retention}>{p.retention}</td><td className="m2" title={p.recipients}>{p.recipients}</td>
                      <td className="r"><ActLink right="privacy:write" aria-label={t('privacy.editOf', { name: p.purpose })} onClick={() => setEditing(p)}>{t('privacy.editPurpose')}</ActLink></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <p className="body t12 m2">{[...x.retained.filter((k) => k.enabled).map((k) => t('privacy.retained', { event: k.event, days: t('cond.day', { count: k.term_days, n: f.number(k.term_days) }), ground: k.ground })), t('privacy.erasures', { n: f.number(x.erasures) })].join(' · ')}</p>
          </>
        )}
      </Panel>
      <Modal opened={editing !== null} onClose={() => setEditing(null)} title={editing === 'new' ? t('privacy.addPurpose') : t('privacy.editPurpose')} size={560} closeButtonProps={{ 'aria-label': t('close') }}>
        {editing && <PurposeForm known={editing === 'new' ? null : editing} close={() => setEditing(null)} />}
      </Modal>
    </>
  );
}

function PurposeForm({ known, close }: { known: Purpose | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [form, setForm] = useState({ purpose: known?.purpose ?? '', ground: known?.ground ?? '', categories: known?.categories ?? '', retention: known?.retention ?? '', recipients: known?.recipients ?? '', archived: known?.archived ?? false });
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  const save = useMutation({
    mutationFn: async () => {
      if (!known) return must(api.POST('/api/v1/privacy/purposes', { body: form }));
      let { id, version } = known;
      if (id === '0') {
        // A preset has no number yet: the first change of the register gives it one. Its own text tells it from the others.
        const after = await must(api.POST('/api/v1/privacy/purposes/adopt', { body: { presets: true } }));
        const same = after.items.find((p) => p.purpose === known.purpose);
        ({ id, version } = same ?? known);
      }
      return must(api.PUT('/api/v1/privacy/purposes/{id}', { params: { path: { id } }, headers: { 'if-match': `"v${version}"` }, body: form }));
    },
    onSuccess: () => {
      close();
      void client.invalidateQueries({ queryKey: ['privacy-register'] });
      say(t('privacy.purposeSaved'));
    },
  });
  const whole = [form.purpose, form.ground, form.categories, form.retention, form.recipients].every((x) => x.trim());
  return (
    <form className="fields" onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
      <TextInput data-autofocus label={t('privacy.purpose')} value={form.purpose} onChange={(e) => set({ purpose: e.currentTarget.value })} />
      <TextInput label={t('privacy.ground')} value={form.ground} onChange={(e) => set({ ground: e.currentTarget.value })} />
      <Textarea label={t('privacy.categories')} autosize minRows={2} value={form.categories} onChange={(e) => set({ categories: e.currentTarget.value })} />
      <TextInput label={t('privacy.retention')} value={form.retention} onChange={(e) => set({ retention: e.currentTarget.value })} />
      <TextInput label={t('privacy.recipients')} value={form.recipients} onChange={(e) => set({ recipients: e.currentTarget.value })} />
      {known && <Switch label={t('privacy.archive')} checked={form.archived} onChange={(e) => set({ archived: e.currentTarget.checked })} />}
      {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
      <div className="form-actions"><Button type="submit" loading={save.isPending} disabled={!whole}>{t('save')}</Button><Button variant="subtle" onClick={close}>{t('cancel')}</Button></div>
    </form>
  );
}

/** In which words people agreed, by version and source: the proof behind the ledger. */
export function Wordings() {
  const { t } = useTranslation();
  const wordings = useQuery({ queryKey: ['privacy-wordings'], queryFn: () => must(api.GET('/api/v1/privacy/wordings')) });
  return (
    <Panel title={t('wordings.title')} count={wordings.data?.items.length || undefined} query={wordings} empty={(x) => x.items.length === 0} emptyText={<EmptyState title={t('wordings.empty')}>{t('wordings.emptyText')}</EmptyState>}>
      {(x) => (
        <div className="tbl" tabIndex={0} role="group" aria-label={t('wordings.title')}>
          <table>
            <thead><tr><th scope="col">{t('consents.wording')}</th><th scope="col" style={{ width: 110 }}>{t('wordings.version')}</th><th scope="col" style={{ width: 140 }}>{t('wordings.source')}</th><th scope="col" style={{ width: 160 }}>{t('consents.purpose')}</th><th scope="col" className="r" style={{ width: 90 }}>{t('wordings.granted')}</th><th scope="col" className="r" style={{ width: 90 }}>{t('wordings.denied')}</th><th scope="col" className="r" style={{ width: 120 }}>{t('wordings.last')}</th></tr></thead>
            <tbody>
              {x.items.map((w, i) => (
                <tr key={i} className="row-data">
                  <td style={{ height: 40 }} title={w.wording}>{w.wording || <span className="m">{t('wordings.none')}</span>}</td><td>{w.version || f.NONE}</td><td>{w.source ?? t('wordings.staff')}</td><td className="m2">{w.channel}, {w.purpose}</td><td className="r">{f.number(w.granted)}</td><td className="r">{f.number(w.denied)}</td><td className="r m2"><When at={w.last_at} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
