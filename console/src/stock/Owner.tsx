// For whom goods are promised: an order opens, anybody else is named as they were.
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

export function Owner({ of }: { of: string }) {
  const { t } = useTranslation();
  const no = /^order:(.+)$/.exec(of)?.[1];
  return no ? <Link to="/orders/$id" params={{ id: no }} className="plain b name el">{t('ahead.order', { no })}</Link> : <span className="b el" title={of}>{of}</span>;
}
