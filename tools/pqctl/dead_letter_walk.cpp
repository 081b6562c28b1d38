#include "tools/pqctl/dead_letter_walk.h"

#include <algorithm>

#include "tools/pqctl/list.h"
#include "tools/pqctl/moment.h"

namespace pqd::ctl {

Checked<DeadLetterWalk> DeadLetterWalk::begin(Client& client, const DeadLetterChoice& choice) {
  ListOptions wanted;
  wanted.type = choice.type;
  wanted.queue = choice.queue;
  if (const auto query = list_query(wanted); !query) return std::unexpected(query.error());
  DeadLetterWalk walk(client);
  walk.filter_.type = choice.type;
  walk.filter_.queue = choice.queue;
  walk.filter_.newer_than = 0;
  const auto before = choice.before.empty() ? Moment() : read_moment(choice.before);
  if (!before) return std::unexpected(before.error());
  // By the daemon's clock, which never goes back, and which deaths are by.
  const auto health = client.health();
  if (!health) return complain(health.error());
  walk.died_until_ns_ = health->now_ns;
  if (!choice.before.empty())
    walk.died_before_ns_ = std::max<int64_t>(before->by(health->now_ns / kMillisecondNs), 0) * kMillisecondNs;
  if (!choice.type.empty() || !choice.before.empty()) return walk;
  const auto queues = client.queues(choice.queue);
  if (!queues) return complain(queues.error());
  for (const QueueInfo& queue : *queues) walk.expected_ += queue.dlq;
  return walk;
}

Checked<std::vector<JobId>> DeadLetterWalk::next(uint32_t limit) {
  std::vector<JobId> ids;
  while (ids.empty() && !ended_) {
    filter_.limit = limit;
    const auto page = client_->dlq(filter_);
    if (!page) return complain(page.error());
    ended_ = page->size() < limit;
    if (!page->empty()) filter_.newer_than = page->back().core.no;
    for (const JobInfo& job : *page) {
      const TimeNs died = job.core.finished_ns;
      if (died <= died_until_ns_ && (died_before_ns_ == 0 || died < died_before_ns_))
        ids.push_back(job.core.id);
    }
  }
  return ids;
}

Checked<void> check_choice(std::string_view verb, const DeadLetterChoice& choice) {
  const bool some = !choice.type.empty() || !choice.queue.empty() || !choice.before.empty();
  const int named = (choice.id.empty() ? 0 : 1) + (choice.all ? 1 : 0) + (some ? 1 : 0);
  if (named == 1) return {};
  return complain(kExitUsage, std::string(verb) +
                                  " takes an ID, or --all, or some of them by --type T, --queue Q, "
                                  "--before T");
}

Checked<uint64_t> count_dead_letters(Client& client, const DeadLetterChoice& choice) {
  auto walk = DeadLetterWalk::begin(client, choice);
  if (!walk) return std::unexpected(walk.error());
  uint64_t count = 0;
  for (;;) {
    const auto ids = walk->next(limits::kDeadLetterPageMax);
    if (!ids) return std::unexpected(ids.error());
    if (ids->empty()) return count;
    count += ids->size();
  }
}

}  // namespace pqd::ctl
