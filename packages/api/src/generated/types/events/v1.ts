/** events/v1, generated: do not edit. */
import type { EventSource as core_v1_EventSource, ObjectReference as core_v1_ObjectReference } from "../core/v1.ts";
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** events.k8s.io/v1 Event */
export type Event = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  eventTime?: string;
  series?: EventSeries;
  reportingController?: string;
  reportingInstance?: string;
  action?: string;
  reason?: string;
  regarding?: core_v1_ObjectReference;
  related?: core_v1_ObjectReference;
  note?: string;
  type?: string;
  deprecatedSource?: core_v1_EventSource;
  deprecatedFirstTimestamp?: string;
  deprecatedLastTimestamp?: string;
  deprecatedCount?: number;
};
/** events.k8s.io/v1 EventList */
export type EventList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Event[];
};
export type EventSeries = {
  count?: number;
  lastObservedTime?: string;
};
