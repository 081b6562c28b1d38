#include "core/job_filter.h"

#include "core/limits.h"

namespace pqd {
namespace {

constexpr uint32_t kEverybody = 0xFFFFFFFF;

}  // namespace

bool may_see(const Asker& asker, const JobCore& job) {
  return asker.admin || asker.uid == job.owner_uid || (job.holder != 0 && asker.session == job.holder);
}

bool JobFilter::matches(const JobCore& job) const {
  if (nothing || (job.state == JobState::kPending && job.pending == Pending::kParked)) return false;
  if (queue && job.queue != *queue) return false;
  if (type && job.type != *type) return false;
  if (states != 0 && (states & (1u << static_cast<unsigned>(job.state))) == 0) return false;
  if (owner_uid && job.owner_uid != *owner_uid) return false;
  if (job.created_ns < since_ns || (until_ns != 0 && job.created_ns >= until_ns)) return false;
  return older_than.empty() || job.id < older_than;
}

std::expected<JobFilter, Error> filter_of(const QueryView& query, const Tables& tables, const Asker& asker) {
  if (query.head.limit == 0 || query.head.limit > limits::kListPageMax)
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
  filter.since_ns = query.head.since_ms * kMillisecondNs;
  filter.until_ns = query.head.until_ms * kMillisecondNs;
  filter.limit = query.head.limit;
  filter.older_than = query.head.id;
  if (query.head.owner_uid != kEverybody) filter.owner_uid = query.head.owner_uid;
  if (!asker.admin) {
    filter.nothing |= filter.owner_uid && *filter.owner_uid != asker.uid;
    filter.owner_uid = asker.uid;
  }
  return filter;
}

}  // namespace pqd
