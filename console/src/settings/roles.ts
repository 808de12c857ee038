import i18next from 'i18next';
import type { User } from '../api/types';

export type Role = User['role'];
export const ROLES: Role[] = ['owner', 'marketer', 'agent', 'shop_assistant', 'planner', 'analyst'];
export const roleName = (r: Role): string => i18next.t(`role.${r}`);
export const roleChoices = () => ROLES.map((value) => ({ value, label: i18next.t(`role.${value}Long`) }));
/** Ids as people type them: by commas or spaces. */
export const idsOf = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);
