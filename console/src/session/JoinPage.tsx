// Decision served: may this invited colleague come in, and with which password?
import { Button, PasswordInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ErrorNote, InlineError } from '../ui/base';
import { Logo } from '../ui/Logo';

const LEAST = 12;

/** Stands outside of the session: the token behind # never reaches the server's log. */
export function JoinPage() {
  const { t } = useTranslation();
  const token = location.hash.slice(1);
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [told, setTold] = useState<string | null>(null);
  const accept = useMutation({
    mutationFn: () => must(api.POST('/api/v1/invitations/accept', { body: { token, password } })),
    onSuccess: () => history.replaceState(null, '', '/join'),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const wrong = password.length < LEAST ? t('join.short') : password !== again ? t('join.differ') : null;
    setTold(wrong);
    if (!wrong) accept.mutate();
  };
  return (
    <main className="signin">
      <form onSubmit={submit}>
        <div className="row g12"><Logo /><h1>{accept.isSuccess ? t('join.done') : t('join.title')}</h1></div>
        {accept.isSuccess ? (
          <>
            <p className="m2">{t('join.doneText')}</p>
            <Button component="a" href="/" data-testid="join-signin">{t('signin.submit')}</Button>
          </>
        ) : !token ? (
          <p className="m2">{t('join.noToken')}</p>
        ) : (
          <>
            <p className="m2">{t('join.lead')}</p>
            <PasswordInput label={t('own.newPassword')} description={t('join.short')} inputWrapperOrder={['label', 'input', 'description', 'error']} autoComplete="new-password" required withAsterisk={false} autoFocus value={password} onChange={(e) => setPassword(e.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': t('signin.showPassword') }} data-testid="join-password" />
            <PasswordInput label={t('own.again')} autoComplete="new-password" required withAsterisk={false} value={again} onChange={(e) => setAgain(e.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': t('signin.showPassword') }} data-testid="join-again" />
            {told && <InlineError>{told}</InlineError>}
            {accept.error && <ErrorNote error={accept.error} kept={t('join.askAgain')} />}
            <div className="row"><Button type="submit" loading={accept.isPending} data-testid="join-submit">{t('join.submit')}</Button></div>
          </>
        )}
      </form>
    </main>
  );
}
