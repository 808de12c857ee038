// Decision served: is this a colleague, and with which rights do they come in?
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ErrorNote, InlineError } from '../ui/base';
import { setShop } from '../ui/format';
import { Problem } from '../api/problem';
import { Logo } from '../ui/Logo';
import { type Language, switchLanguage } from '../i18n';

export function SignIn() {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [second, setSecond] = useState(false);
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
  return (
    <main className="signin">
      <form onSubmit={submit}>
        <div className="row g12">
          <Logo />
          <h1>{t('signin.title')}</h1>
        </div>
        <p className="m2">{t('signin.lead')}</p>
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
          <Button type="submit" loading={signIn.isPending} data-testid="login-submit">
            {t('signin.submit')}
          </Button>
          <span className="sp" />
          <button type="button" className="textlink" lang={i18n.language === 'uk' ? 'en' : 'uk'} onClick={() => void switchLanguage((i18n.language === 'uk' ? 'en' : 'uk') as Language)}>
            {i18n.language === 'uk' ? 'English' : 'Українська'}
          </button>
        </div>
      </form>
    </main>
  );
}
