// Moves between places, sales channels and what stands still.
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useMay } from '../session/session';

export function LocationTabs({ at }: { at: 'places' | 'channels' | 'alerts' }) {
  const { t } = useTranslation();
  const sees = useMay('orders:read');
  const on = (id: typeof at) => ({ className: at === id ? 'on' : '', 'aria-current': at === id ? ('page' as const) : undefined, 'data-testid': `tab-${id}` });
  return (
    <nav className="tabs" aria-label={t('nav.locations')}>
      <Link to="/locations" search={{}} {...on('places')}>{t('place.title')}</Link>
      <Link to="/locations" search={{ tab: 'channels' }} {...on('channels')}>{t('outlet.title')}</Link>
      {sees && <Link to="/locations/alerts" search={{}} {...on('alerts')}>{t('place.still')}</Link>}
    </nav>
  );
}
