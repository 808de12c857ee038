// Address, login and password of a connection: the password is shown here once and never again.
import { Button, Modal } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../ui/base';
import type { Connection } from './query';

export function Secret({ of, close }: { of: Connection; close: () => void }) {
  const { t } = useTranslation();
  const rows: [string, string][] = [[t('erp.address'), of.address], ...(of.login ? [[t('erp.login'), of.login] as [string, string]] : []), ...(of.password ? [[t('erp.password'), of.password] as [string, string]] : [])];
  return (
    <Modal opened onClose={close} title={t('erp.enter', { name: of.name })} size={560} closeButtonProps={{ 'aria-label': t('close') }} closeOnClickOutside={false}>
      <div className="col g16">
        {of.password ? <p className="warn-text">{t('erp.once')}</p> : <p className="m2">{t('erp.byKey')}</p>}
        <dl className="col g12">
          {rows.map(([name, value]) => <div key={name} className="col g4"><dt className="t12 m2">{name}</dt><dd className="row g12"><span className="mono wrap sp" data-testid={value === of.password ? 'erp-password' : undefined}>{value}</span><CopyButton text={value} label={t('copy')} /></dd></div>)}
        </dl>
        <div className="form-actions"><Button onClick={close} data-testid="erp-written">{of.password ? t('erp.written') : t('close')}</Button></div>
      </div>
    </Modal>
  );
}
