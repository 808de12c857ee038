import type { TFunction } from 'i18next';
import i18next from 'i18next';
import type { components, paths } from '../api/schema';
import * as f from '../ui/format';

export type Compared = components['schemas']['CompareModule'];
export type Page = components['schemas']['CompareModulePage'];
export type Difference = paths['/api/v1/parallel-run/{id}/differences']['get']['responses'][200]['content']['application/json']['items'][number];
export type Decision = components['schemas']['CompareDecision'];

export type Part = paths['/api/v1/rollout']['get']['responses'][200]['content']['application/json']['items'][number];
export type Step = Part['steps'][number];

export const MODULES = ['orders', 'receipts', 'refunds', 'revenue', 'customers', 'opt_ins', 'sends', 'segments'];
const MONEY = new Set(['orders', 'receipts', 'refunds', 'revenue']);

const worded = (key: string, plain: string): string => (i18next.exists(key) ? i18next.t(key) : plain.replaceAll('_', ' '));
export const moduleName = (module: string): string => worded(`moving.module.${module}`, module);
export const causeName = (cause: string): string => worded(`moving.cause.${cause}`, cause);
export const areaName = (area: string): string => worded(`rollout.area.${area}`, area);
export const stepName = (step: string): string => worded(`rollout.step.${step}`, step);
/** A plain file that any old tool can be told about. */
export const backPreset = (area: string): string => (area === 'orders' ? 'generic-orders' : area === 'customers' ? 'generic-customers' : 'generic-opt-outs');
export const checkName = (check: string): string => worded(`quality.check.${check}`, check);
export const decisionName = (decision: string): string => worded(`moving.decision.${decision}`, decision);

/** A value in its own unit: money in the shop's currency, else a count. */
export const amount = (module: string, value: number, currency: string): string => (MONEY.has(module) ? f.money({ minor: value, currency }) : f.number(value));

export const tone = (verdict: string): 'good' | 'bad' | undefined => (verdict === 'go' ? 'good' : verdict === 'no_go' ? 'bad' : undefined);
export const verdictName = (t: TFunction, verdict: string): string => (verdict === 'go' ? t('moving.go') : verdict === 'no_go' ? t('moving.noGo') : t('moving.nothing'));
