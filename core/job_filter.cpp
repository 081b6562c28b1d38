#include "core/job_filter.h"

#include <algorithm>

#include "core/limits.h"

namespace pqd {

bool may_see(const Asker& asker, const JobCore& job) {
  return asker.sees_all || asker.uid == job.owner_uid || (job.holder != 0 && asker.session == job.holder);
}

bool JobFilter::matches(const JobCore& job) const {
  if (nothing || (job.state == JobState::kPending && job.pending == Pending::kParked)) return false;
  if (queue && job.queue != *queue) return false;
  if (type && job.type != *type) return false;
  if (states != 0 && (states & (1u << static_cast<unsigned>(job.state))) == 0) return false;
  if (owner_uid && job.owner_uid != *owner_uid) return false;
  if (dead_letters && !is_dead_letter(job)) return false;
  if (newer_than && job.no <= *newer_than) return false;
  const JobId bound = below();
  return !ends_before(job.id) && (bound.empty() || job.id < bound);
}

void JobFilter::keep_dead_letters() {
  constexpr unsigned kDead =
      1u << static_cast<unsigned>(JobState::kFailed) | 1u << static_cast<unsigned>(JobState::kTimeout);
  states = static_cast<uint8_t>(states == 0 ? kDead : states & kDead);
  nothing |= states == 0;
  dead_letters = true;
}

JobId JobFilter::below() const {
  if (until_ms == 0) return older_than;
  const JobId until{static_cast<uint64_t>(until_ms) << 16, 0};
  return older_than.empty() ? until : std::min(until, older_than);
}

LiveSummary JobFilter::live_summary() const {
  LiveSummary wanted = LiveSummary::everything();
  if (queue) wanted.queues = LiveSummary::queue_bit(*queue);
  if (type) wanted.types = LiveSummary::type_bit(*type);
  if (owner_uid) wanted.owners = LiveSummary::owner_bit(*owner_uid);
  if (states != 0) wanted.states = states;
  return wanted;
}

std::expected<JobFilter, Error> filter_of(const QueryView& query, const Tables& tables, const Asker& asker) {
  if (query.head.limit == 0 || query.head.limit > list_page_max(query.head.kind))
    return std::unexpected(Error::kInvalidRequest);
  JobFilter filter;
  if (!query.queue.empty()) {
    filter.queue = tables.find_queue(query.queue);
    if (!filter.queue) return std::unexpected(Error::kNotFound);
  }
  if (!query.type.empty()) {
    filter.type = tables.find_type(query.type);
    filter.nothing = !filter.type;
  }
  filter.states = query.head.states;
  filter.since_ms = std::clamp<int64_t>(query.head.since_ms, 0, limits::kUnixMsMax);
  filter.until_ms = std::clamp<int64_t>(query.head.until_ms, 0, limits::kUnixMsMax);
  filter.limit = query.head.limit;
  if (query.head.oldest_first != 0) {
    filter.newer_than = query.head.id.low;
  } else {
    filter.older_than = query.head.id;
  }
  if (query.head.owner_uid != kEverybody) filter.owner_uid = query.head.owner_uid;
  if (!asker.sees_all) {
    filter.nothing |= filter.owner_uid && *filter.owner_uid != asker.uid;
    filter.owner_uid = asker.uid;
  }
  return filter;
}

}  // namespace pqd
