// Decision served: is this a colleague, and with which rights do they come in?
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, lazy, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ErrorNote, InlineError } from '../ui/base';
import { setShop } from '../ui/format';
import { Problem } from '../api/problem';
import { Logo } from '../ui/Logo';
import { areaTexts, type Language, switchLanguage } from '../i18n';

// Only where the shop has an identity provider, or an attempt with one has just ended.
const AtProvider = lazy(async () => {
  const [page] = await Promise.all([import('./AtProvider'), areaTexts()]);
  return { default: page.AtProvider };
});

export function SignIn() {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [second, setSecond] = useState(false);
  const [came] = useState(() => new URLSearchParams(location.search).get('signin'));
  const ways = useQuery({ queryKey: ['ways'], queryFn: () => must(api.GET('/api/v1/session/ways')), staleTime: Infinity, retry: false });
  // A reload does not say again how the last attempt ended.
  useEffect(() => {
    if (came) history.replaceState(history.state, '', location.pathname);
  }, [came]);
  const signIn = useMutation({
    mutationFn: () => must(api.POST('/api/v1/session', { body: { email: email.trim(), password, code: code.trim() || undefined } })),
    onError: (e) => {
      if (e instanceof Problem && e.code === 'second_factor_needed') setSecond(true);
    },
    onSuccess: (me) => {
      setShop(me.shop);
      client.setQueryData(['session'], me);
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    signIn.mutate();
  };
  const wanted = signIn.error instanceof Problem && signIn.error.code === 'second_factor_needed';
  const refused = signIn.error instanceof Problem && signIn.error.status === 401 && !wanted;
  const provider = ways.data?.provider ?? null;
  const fields = (
    <>
        <TextInput label={t('field.email')} type="email" autoComplete="username" required autoFocus withAsterisk={false} value={email} onChange={(e) => setEmail(e.currentTarget.value)} data-testid="login-email" />
        <PasswordInput
          label={t('field.password')}
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          data-testid="login-password"
          visibilityToggleButtonProps={{ 'aria-label': t('signin.showPassword') }}
        />
        {second && <TextInput label={t('signin.code')} description={t('signin.codeHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} autoComplete="one-time-code" autoFocus value={code} onChange={(e) => setCode(e.currentTarget.value)} data-testid="login-code" />}
        {wanted && code && <InlineError>{t('signin.codeWrong')}</InlineError>}
        {refused && <InlineError>{t('problem.bad_credentials')}</InlineError>}
        {signIn.error && !refused && !wanted && <ErrorNote error={signIn.error} kept={t('error.formKept')} />}
        <div className="row">
          <Button type="submit" variant={provider ? 'default' : undefined} loading={signIn.isPending} data-testid="login-submit">
            {t('signin.submit')}
          </Button>
        </div>
    </>
  );
  return (
    <main className="signin">
      <form onSubmit={submit}>
        <div className="row g12">
          <Logo />
          <h1>{t('signin.title')}</h1>
        </div>
        <p className="m2">{t('signin.lead')}</p>
        {ways.isPending ? null : provider || came ? (
          <Suspense fallback={null}><AtProvider name={provider} passwords={ways.data?.passwords ?? 'everyone'} came={came}>{fields}</AtProvider></Suspense>
        ) : fields}
        <div className="row">
          <span className="sp" />
          <button type="button" className="textlink" lang={i18n.language === 'uk' ? 'en' : 'uk'} onClick={() => void switchLanguage((i18n.language === 'uk' ? 'en' : 'uk') as Language)}>
            {i18n.language === 'uk' ? 'English' : 'Українська'}
          </button>
        </div>
      </form>
    </main>
  );
}
