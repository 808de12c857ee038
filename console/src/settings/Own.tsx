import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { useMe } from '../session/session';
import { Badge, CopyButton, ErrorNote, PageHeader, Panel, When } from '../ui/base';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';

/** What everybody may do about themselves: password, second factor, open sessions. */
export function Own() {
  const { t } = useTranslation();
  useTitle(t('settings.own'));
  return (
    <>
      <PageHeader title={t('settings.own')} />
      <div className="grid2" style={{ alignItems: 'start' }}><Password /><SecondFactor /></div>
      <Sessions />
    </>
  );
}

const eye = (label: string) => ({ 'aria-label': label });

function Password() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const none = useMe().has_password === false;
  const [form, setForm] = useState({ password: '', new_password: '' });
  const change = useMutation({
    mutationFn: () => must(api.POST('/api/v1/session/password', { body: form })),
    onSuccess: () => {
      setForm({ password: '', new_password: '' });
      void client.invalidateQueries({ queryKey: ['sessions'] });
      say(t('own.passwordChanged'));
    },
  });
  if (none) return <Panel title={t('field.password')}><p className="body m2">{t('own.noPassword')}</p></Panel>;
  return (
    <Panel title={t('field.password')}>
      <form className="body fields" onSubmit={(e) => { e.preventDefault(); change.mutate(); }}>
        <PasswordInput label={t('own.present')} autoComplete="current-password" required withAsterisk={false} value={form.password} onChange={(e) => setForm({ ...form, password: e.currentTarget.value })} visibilityToggleButtonProps={eye(t('signin.showPassword'))} />
        <PasswordInput label={t('own.newPassword')} description={t('join.short')} inputWrapperOrder={['label', 'input', 'description', 'error']} autoComplete="new-password" minLength={12} required withAsterisk={false} value={form.new_password} onChange={(e) => setForm({ ...form, new_password: e.currentTarget.value })} visibilityToggleButtonProps={eye(t('signin.showPassword'))} />
        {change.error && <ErrorNote error={change.error} kept={t('error.formKept')} />}
        <div className="form-actions"><Button type="submit" variant="default" loading={change.isPending}>{t('own.changePassword')}</Button></div>
      </form>
    </Panel>
  );
}

function SecondFactor() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const me = useMe();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [codes, setCodes] = useState<string[] | null>(null);
  const renew = () => void client.invalidateQueries({ queryKey: ['session'] });
  const begin = useMutation({ mutationFn: () => must(api.POST('/api/v1/session/second-factor', { body: { password } })), onSuccess: () => setPassword('') });
  const confirm = useMutation({
    mutationFn: () => must(api.POST('/api/v1/session/second-factor/confirm', { body: { code: code.replace(/\s/g, '') } })),
    onSuccess: (r) => { setCodes(r.recovery_codes); setCode(''); begin.reset(); renew(); },
  });
  const off = useMutation({ mutationFn: () => must(api.DELETE('/api/v1/session/second-factor', { body: { password } })), onSuccess: () => { setPassword(''); setCodes(null); renew(); say(t('own.secondOff')); } });
  const error = begin.error ?? confirm.error ?? off.error;
  if (me.has_password === false && !me.second_factor) return <Panel title={t('own.second')}><p className="body m2">{t('own.noPasswordSecond')}</p></Panel>;
  return (
    <Panel title={t('own.second')} right={me.second_factor ? <Badge tone="good">{t('users.on')}</Badge> : <Badge>{t('users.no')}</Badge>}>
      <div className="body col g16">
        {codes && (
          <div className="notice warn" role="status">
            <div className="col sp g8"><span className="b">{t('own.codesOnce')}</span><pre className="code soft" data-testid="recovery-codes" tabIndex={0} role="group" aria-label={t('own.codes')}>{codes.join('\n')}</pre><span className="t12 m2">{t('own.codesText')}</span></div>
            <CopyButton text={codes.join('\n')} label={t('copy')} />
          </div>
        )}
        {begin.data && !me.second_factor ? (
          <form className="fields" onSubmit={(e) => { e.preventDefault(); confirm.mutate(); }}>
            <p>{t('own.secretText')}</p>
            <div className="row"><code className="mono wrap sp" data-testid="secret">{begin.data.secret}</code><CopyButton text={begin.data.secret} label={t('copy')} /></div>
            <a href={begin.data.uri}>{t('own.openApp')}</a>
            <TextInput label={t('own.code')} inputMode="numeric" autoComplete="one-time-code" required withAsterisk={false} value={code} onChange={(e) => setCode(e.currentTarget.value)} data-testid="first-code" />
            {error && <ErrorNote error={error} kept={t('error.formKept')} />}
            <div className="form-actions"><Button type="submit" variant="default" loading={confirm.isPending}>{t('own.turnOn')}</Button><Button variant="subtle" onClick={() => begin.reset()}>{t('cancel')}</Button></div>
          </form>
        ) : (
          <form className="fields" onSubmit={(e) => { e.preventDefault(); if (me.second_factor) off.mutate(); else begin.mutate(); }}>
            <p className="m2">{me.second_factor ? t('own.secondOnText') : t('own.secondText')}</p>
            <PasswordInput label={t('own.present')} autoComplete="current-password" required withAsterisk={false} value={password} onChange={(e) => setPassword(e.currentTarget.value)} visibilityToggleButtonProps={eye(t('signin.showPassword'))} />
            {error && <ErrorNote error={error} kept={t('error.formKept')} />}
            <div className="form-actions"><Button type="submit" variant="default" className={me.second_factor ? 'danger' : undefined} loading={begin.isPending || off.isPending}>{me.second_factor ? t('own.turnOff') : t('own.setUp')}</Button></div>
          </form>
        )}
      </div>
    </Panel>
  );
}

function Sessions() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: () => must(api.GET('/api/v1/sessions')) });
  const end = useMutation({ mutationFn: (id: string) => must(api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } })), onSuccess: () => void client.invalidateQueries({ queryKey: ['sessions'] }), onError: sayError });
  return (
    <Panel title={t('own.sessions')} query={sessions}>
      {(s) => (
        <div className="counts">
          {s.items.map((x) => (
            <div key={x.id} data-testid="session-row">
              <span className="col"><b className="wrap">{x.agent || x.address}</b><span className="t12">{x.address} · {x.via === 'provider' ? t('own.byProvider') : t('own.byPassword')} · {t('own.seen')} <When at={x.seen_at} /></span></span>
              {x.current ? <Badge tone="good">{t('own.here')}</Badge> : <button type="button" className="textlink" onClick={() => end.mutate(x.id)}>{t('own.end')}</button>}
            </div>
          ))}
        </div>
      )}
    </Panel>
  );
}
