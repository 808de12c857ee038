// Decision served: does this colleague come in through the shop's identity provider, and if not, why?
import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import i18next from 'i18next';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { ErrorNote, InlineError } from '../ui/base';

/** Where to come back to: the page that was asked for, without what the last attempt left in the address. */
function here(): string {
  const search = new URLSearchParams(location.search);
  search.delete('signin');
  return location.pathname + (search.size ? `?${search.toString()}` : '');
}

/** The provider's button over the password's fields; `came` is how the last attempt ended, `code` or a reason of docs/sign-in.md. */
export function AtProvider({ name, passwords, came, children }: { name: string | null; passwords: 'everyone' | 'owners'; came: string | null; children: ReactNode }) {
  const { t } = useTranslation();
  const [asCode, setAsCode] = useState(came === 'code');
  const [open, setOpen] = useState(passwords === 'everyone' || !name);
  const begin = useMutation({
    mutationFn: () => must(api.POST('/api/v1/session/provider', { body: { return_to: here() } })),
    onSuccess: ({ url }) => location.assign(url),
  });
  if (asCode) return <SecondStep back={() => setAsCode(false)} />;
  const away = begin.error instanceof Problem && begin.error.code === 'sign_in_refused';
  const reason = away ? 'provider_away' : came && came !== 'code' ? came : null;
  return (
    <>
      {reason && <div className="notice warn" role="alert" data-testid="signin-refused"><div className="col g4"><span className="b">{t('provider.refused')}</span><span>{i18next.exists(`provider.why.${reason}`) ? t(`provider.why.${reason}`, { name: name ?? '' }) : t('provider.why.other')}</span></div></div>}
      {begin.error && !away && <ErrorNote error={begin.error} retry={() => begin.mutate()} />}
      {name && <Button type="button" loading={begin.isPending || begin.isSuccess} onClick={() => begin.mutate()} data-testid="login-provider">{t('provider.button', { name })}</Button>}
      {open ? children : <button type="button" className="textlink" onClick={() => setOpen(true)} data-testid="login-by-password">{t('provider.withPassword')}</button>}
    </>
  );
}

/** The provider knows them; Braid still asks for the code of their app. */
function SecondStep({ back }: { back: () => void }) {
  const { t } = useTranslation();
  const [code, setCode] = useState('');
  const finish = useMutation({
    mutationFn: () => must(api.POST('/api/v1/session/provider/code', { body: { code: code.replace(/\s/g, '') } })),
    onSuccess: ({ return_to }) => location.assign(return_to),
  });
  const failed = finish.error instanceof Problem ? finish.error.code : null;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    // The password's form stands around this one's fields.
    e.stopPropagation();
    finish.mutate();
  };
  return (
    <>
      <TextInput label={t('signin.code')} description={t('signin.codeHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} autoComplete="one-time-code" autoFocus value={code} onChange={(e) => setCode(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Enter') submit(e); }} data-testid="provider-code" />
      {failed === 'second_factor_needed' && <InlineError>{t('signin.codeWrong')}</InlineError>}
      {(failed === 'not_signed_in' || failed === 'sign_in_refused') && <InlineError>{t('provider.why.too_late')}</InlineError>}
      {finish.error && !['second_factor_needed', 'not_signed_in', 'sign_in_refused'].includes(failed ?? '') && <ErrorNote error={finish.error} kept={t('error.formKept')} />}
      <div className="row">
        <Button type="button" loading={finish.isPending || finish.isSuccess} disabled={!code.trim()} onClick={() => finish.mutate()} data-testid="provider-code-submit">{t('signin.submit')}</Button>
        <button type="button" className="textlink" onClick={back}>{t('provider.again')}</button>
      </div>
    </>
  );
}
