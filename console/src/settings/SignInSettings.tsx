// Decision served: how do people come into this shop, and does the provider answer as it should?
import { Button, PasswordInput, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { Badge, CopyButton, ErrorNote, PageHeader, Panel } from '../ui/base';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { said } from '../words/server';
import { idsOf, type Role, roleChoices } from './roles';

type Settings = components['schemas']['SignInSettings'];
const order: ['label', 'input', 'description', 'error'] = ['label', 'input', 'description', 'error'];

export function SignInSettings() {
  const { t } = useTranslation();
  useTitle(t('settings.signIn'));
  const settings = useQuery({ queryKey: ['sign-in-settings'], queryFn: () => must(api.GET('/api/v1/settings/sign-in')) });
  return (
    <>
      <PageHeader title={t('settings.signIn')} note={t('provider.lead')} />
      <Panel title={t('provider.title')} query={settings} right={settings.data && (settings.data.enabled ? <Badge tone="good">{t('users.on')}</Badge> : <Badge>{t('users.no')}</Badge>)} testId="sign-in-settings">
        {(s) => <Form key={JSON.stringify(s)} settings={s} />}
      </Panel>
    </>
  );
}

function Form({ settings: s }: { settings: Settings }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [form, setForm] = useState({ ...s, domains: s.domains.join(', '), secret: '' });
  const set = (change: Partial<typeof form>) => setForm({ ...form, ...change });
  // What is not typed stays as it is kept.
  const secret = form.secret ? { client_secret: form.secret } : {};
  const put = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/settings/sign-in', { body: { enabled: form.enabled, issuer: form.issuer, client_id: form.client_id, ...secret, label: form.label, domains: idsOf(form.domains), create: form.create, role: form.role, provider_second_factor: form.provider_second_factor, passwords: form.passwords } })),
    onSuccess: (after) => {
      client.setQueryData(['sign-in-settings'], after);
      say(t('provider.saved'));
    },
  });
  const check = useMutation({ mutationFn: () => must(api.POST('/api/v1/settings/sign-in/check', { body: { issuer: form.issuer, client_id: form.client_id, ...secret } })) });
  const steps = { redirect_uri: t('provider.step.redirect_uri'), issuer: t('provider.step.issuer'), discovery: t('provider.step.discovery'), keys: t('provider.step.keys'), client: t('provider.step.client') };
  const tones = { good: 'good', bad: 'bad', unknown: 'warn' } as const;
  const states = { good: t('provider.good'), bad: t('provider.bad'), unknown: t('provider.unknown') };
  return (
    <form className="body col g16" onSubmit={(e) => { e.preventDefault(); put.mutate(); }}>
      <div className="col g4">
        <span className="b">{t('provider.redirect')}</span>
        <div className="row g12"><code className="mono wrap" data-testid="redirect-uri">{s.redirect_uri}</code><CopyButton text={s.redirect_uri} label={t('copy')} /></div>
        <span className="t12 m2">{t('provider.redirectHelp')}</span>
      </div>
      <div className="fields" style={{ maxWidth: 560 }}>
        <Switch checked={form.enabled} onChange={(e) => set({ enabled: e.currentTarget.checked })} label={t('provider.enabled')} data-testid="provider-enabled" />
        <TextInput label={t('provider.issuer')} description={t('provider.issuerHelp')} inputWrapperOrder={order} placeholder="https://login.example.com/realms/shop" value={form.issuer} onChange={(e) => set({ issuer: e.currentTarget.value })} data-testid="provider-issuer" />
        <TextInput label={t('provider.clientId')} value={form.client_id} autoComplete="off" onChange={(e) => set({ client_id: e.currentTarget.value })} data-testid="provider-client" />
        <PasswordInput label={t('provider.secret')} description={s.has_secret ? t('provider.secretKept') : t('provider.secretNone')} inputWrapperOrder={order} autoComplete="new-password" value={form.secret} onChange={(e) => set({ secret: e.currentTarget.value })} visibilityToggleButtonProps={{ 'aria-label': t('signin.showPassword') }} data-testid="provider-secret" />
        <TextInput label={t('provider.label')} description={t('provider.labelHelp')} inputWrapperOrder={order} value={form.label} onChange={(e) => set({ label: e.currentTarget.value })} data-testid="provider-label" />
        <TextInput label={t('provider.domains')} description={t('provider.domainsHelp')} inputWrapperOrder={order} placeholder="example.com" value={form.domains} onChange={(e) => set({ domains: e.currentTarget.value })} data-testid="provider-domains" />
        <Switch checked={form.create} onChange={(e) => set({ create: e.currentTarget.checked })} label={t('provider.create')} description={t('provider.createHelp')} data-testid="provider-create" />
        {form.create && <Select label={t('provider.role')} value={form.role} allowDeselect={false} onChange={(v) => v && set({ role: v as Role })} data={roleChoices().filter((r) => r.value !== 'owner')} />}
        <Switch checked={form.provider_second_factor} onChange={(e) => set({ provider_second_factor: e.currentTarget.checked })} label={t('provider.second')} description={t('provider.secondHelp')} />
        <Switch checked={form.passwords === 'owners'} onChange={(e) => set({ passwords: e.currentTarget.checked ? 'owners' : 'everyone' })} label={t('provider.owners')} description={t('provider.ownersHelp')} data-testid="provider-owners" />
      </div>
      {check.data && (
        <div className="counts" role="list" aria-label={t('provider.checked')} data-testid="provider-steps" style={{ padding: 0, maxWidth: 560 }}>
          {check.data.steps.map((step) => (
            <div key={step.step} role="listitem"><span className="col"><b>{steps[step.step]}</b><span className="t12 wrap">{said(step.detail)}</span></span><Badge tone={tones[step.state]}>{states[step.state]}</Badge></div>
          ))}
        </div>
      )}
      {(put.error ?? check.error) && <ErrorNote error={put.error ?? check.error} kept={t('error.formKept')} />}
      <div className="form-actions">
        <Button type="submit" variant="default" loading={put.isPending} data-testid="provider-save">{t('save')}</Button>
        <Button type="button" variant="subtle" loading={check.isPending} disabled={!form.issuer.trim()} onClick={() => check.mutate()} data-testid="provider-check">{t('provider.check')}</Button>
      </div>
    </form>
  );
}
