// Pieces that the pages of companies and law share.
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

/** Moves between companies and the law. */
export function CompanyTabs({ at }: { at: 'entities' | 'report' | 'law' }) {
  const { t } = useTranslation();
  return (
    <nav className="tabs" aria-label={t('nav.entities')}>
      <Link to="/entities" search={{}} className={at === 'entities' ? 'on' : ''} aria-current={at === 'entities' ? 'page' : undefined}>{t('entity.all')}</Link>
      <Link to="/entities/report" search={{}} className={at === 'report' ? 'on' : ''} aria-current={at === 'report' ? 'page' : undefined} data-testid="tab-report">{t('report.title')}</Link>
      <Link to="/entities/law" search={{}} className={at === 'law' ? 'on' : ''} aria-current={at === 'law' ? 'page' : undefined}>{t('law.title')}</Link>
    </nav>
  );
}
