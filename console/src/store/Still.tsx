// A place that stands still says so above all that is done there, calmly: why, since when, and that clocks stand.
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useStill } from '../places/parts';
import { alertsQuery } from '../places/query';
import * as f from '../ui/format';
import { IconClock } from '../ui/icons';

export function Still({ at }: { at: string }) {
  const { t } = useTranslation();
  const alerts = useQuery(alertsQuery);
  const say = useStill();
  const paused = alerts.data?.paused.find((p) => p.location_id === at);
  if (!paused) return null;
  return (
    <div className="store-still" role="status" data-testid="store-still">
      <IconClock />
      <span className="col sp"><b>{t('store.still')}</b><span>{f.capital(say(paused))}. {paused.kind === 'alert' ? t('store.stillText') : t('store.stillCalm')}</span></span>
    </div>
  );
}
