import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { ComponentPropsWithoutRef } from 'react';
import { useTranslation } from 'react-i18next';
import { IconLock } from '../ui/icons';
import { useMay } from './session';

/** A button that keeps its place when the right (docs/roles.md) is missing: a lock with the reason instead. */
export function ActButton({ right, ...p }: ButtonProps & ComponentPropsWithoutRef<'button'> & { right: string }) {
  const { t } = useTranslation();
  const may = useMay(right);
  if (may) return <Button {...p} />;
  return (
    <Tooltip label={t('locked.right')}>
      <Button {...p} onClick={(e) => e.preventDefault()} type="button" data-disabled aria-disabled leftSection={<IconLock className="s" />} />
    </Tooltip>
  );
}

/** The same for a link-like act inside a row. */
export function ActLink({ right, ...p }: ComponentPropsWithoutRef<'button'> & { right: string }) {
  const { t } = useTranslation();
  const may = useMay(right);
  if (may) return <button type="button" {...p} className={`textlink ${p.className ?? ''}`} />;
  return (
    <Tooltip label={t('locked.right')}>
      <button type="button" className="textlink row g4 m" aria-disabled="true">
        <IconLock className="s" />
        {p.children}
      </button>
    </Tooltip>
  );
}
