import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { ComponentPropsWithoutRef } from 'react';
import { useTranslation } from 'react-i18next';
import { IconLock } from '../ui/icons';
import { useMe } from './session';

/** Does this person have a right of docs/roles.md, such as `imports:write`? The server decides; this keeps dead ends off the screen. */
export const useRight = (right: string): boolean => useMe().rights.includes(right);

/** A button that keeps its place when the right is missing: a lock with the reason instead. */
export function RightButton({ right, ...p }: ButtonProps & ComponentPropsWithoutRef<'button'> & { right: string }) {
  const { t } = useTranslation();
  if (useRight(right)) return <Button {...p} />;
  return (
    <Tooltip label={t('locked.right')}>
      <Button {...p} onClick={(e) => e.preventDefault()} type="button" data-disabled aria-disabled leftSection={<IconLock className="s" />} />
    </Tooltip>
  );
}
