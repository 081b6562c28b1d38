// Who takes jobs of a State: sessions and their subscriptions.
#include <unordered_set>

#include "core/state.h"

namespace pqd {

void State::set_consumer(SessionNo session, const SubscriptionEntry& subscription) {
  uint32_t used = 0;
  std::unordered_set<uint64_t> batches;
  for (Slot at = held(session).head; at != kNoSlot; at = jobs[at].line_next) {
    const JobCore core = jobs.core(at);
    if (core.subscription != subscription.number || core.queue != subscription.queue) continue;
    if (core.batch_place == 0 || batches.insert(core.batch()).second) ++used;
  }
  QueueRuntime& q = queues_[subscription.queue];
  if (!q.consumers.set({session, subscription.number}, subscription.types, subscription.credits, used))
    return;
  if (subscription.types.empty()) q.ready.warm_all();
  for (const TypeNo type : subscription.types) q.ready.warm(type);
  mark_dirty(subscription.queue);
}

void State::apply(const Subscribed& e) {
  remove_consumer(e.session, e.number);
  tables.apply(e);
  set_consumer(e.session, {e.number, e.queue, e.credits, e.types});
}

void State::remove_consumer(SessionNo number, uint32_t subscription) {
  const SessionEntry* session = tables.session(number);
  if (session == nullptr) return;
  for (const SubscriptionEntry& sub : session->subscriptions) {
    if (sub.number == subscription) queues_[sub.queue].consumers.remove({number, subscription});
  }
}

void State::apply(const Unsubscribed& e) {
  remove_consumer(e.session, e.number);
  tables.apply(e);
}

void State::end_session(SessionNo session) {
  if (const SessionEntry* entry = tables.session(session)) {
    for (const SubscriptionEntry& sub : entry->subscriptions)
      queues_[sub.queue].consumers.remove({session, sub.number});
  }
}

void State::apply(const SessionClosed& e) {
  end_session(e.session);
  tables.apply(e);
}

void State::apply(const SessionResumed& e) {
  end_session(e.from);
  tables.apply(e);
}

}  // namespace pqd
