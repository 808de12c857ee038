import { queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';

export const rulesQuery = queryOptions({ queryKey: ['rules'], queryFn: () => must(api.GET('/api/v1/message-rules')) });
export const templatesQuery = queryOptions({ queryKey: ['templates'], queryFn: () => must(api.GET('/api/v1/templates')) });
export const capsQuery = queryOptions({ queryKey: ['caps'], queryFn: () => must(api.GET('/api/v1/caps')) });
