// The walker over everything that State holds: what must be true between any two events. Not used in
// production; tests and the simulator call it after every turn. The structures that keep their insides to
// themselves (lines, wheel, rings) each have their part of the walk here, as `find_fault`.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <unordered_set>

#include "core/state.h"

namespace pqd {

const char* ReadyLine::find_fault(const JobTable& jobs, std::vector<Slot>& seen) const {
  if (head_ != kNoSlot && head_seq_ != jobs.ready_seq(head_)) return "ready line: head_seq";
  Slot before = kNoSlot;
  for (Slot at = head_; at != kNoSlot; at = jobs[at].line_next) {
    if (jobs[at].line_prev != before) return "ready line: back link";
    if (jobs[at].ready_returned) return "ready line: a returned job stands in the list";
    if (before != kNoSlot && jobs.ready_seq(before) >= jobs.ready_seq(at)) return "ready line: order";
    if (before != kNoSlot && jobs.times(before).ready_ns > jobs.times(at).ready_ns) return "ready line: ages";
    seen.push_back(before = at);
  }
  if (tail_ != before) return "ready line: tail";
  for (const auto& [seq, at] : returned_) {
    if (!jobs[at].ready_returned || jobs.ready_seq(at) != seq)
      return "ready line: a returned job stands in the wrong place";
    seen.push_back(at);
  }
  return nullptr;
}

const char* FairLine::find_fault(const JobTable& jobs, const FairGroups& groups,
                                 std::vector<Slot>& seen) const {
  const size_t before = seen.size();
  size_t lists = 0;
  for (const auto& [group, row] : rows_) {
    const size_t row_before = seen.size();
    if (const char* fault = row.line.find_fault(jobs, seen)) return fault;
    if (row.line.empty()) return "fair line: a group without jobs";
    for (size_t i = row_before; i < seen.size(); ++i)
      if (jobs[seen[i]].ready_group != group) return "fair line: a job stands in a foreign group";
    if (row.time != groups[group].time) return "fair line: a group's turn is at another time";
    if (row.front != row.line.front() || row.front_seq != jobs.ready_seq(row.front))
      return "fair line: a group's first job";
    if (!turns_.contains({row.time, row.front_seq, row.front})) return "fair line: turns";
    if (row.head != row.line.head()) return "fair line: the first of a group's list";
    if (row.head == kNoSlot) continue;
    ++lists;
    if (row.head_seq != jobs.ready_seq(row.head) || !listed_.contains({row.head_seq, row.head}))
      return "fair line: lists";
  }
  const auto first_seen = seen.begin() + static_cast<ptrdiff_t>(before);
  const auto returned =
      std::count_if(first_seen, seen.end(), [&](Slot slot) { return jobs[slot].ready_returned; });
  for (const auto& [seq, slot] : returned_)
    if (!jobs[slot].ready_returned || jobs.ready_seq(slot) != seq) return "fair line: returned jobs";
  if (turns_.size() != rows_.size() || listed_.size() != lists ||
      returned_.size() != static_cast<size_t>(returned))
    return "fair line: orders";
  return seen.size() - before == size_ ? nullptr : "fair line: size";
}

const char* ReadyQueue::find_fault(const JobTable& jobs, const Line& line, size_t rank,
                                   std::vector<Slot>& seen) const {
  const RankLine& places = line.by_rank[rank];
  if (((line.ranks >> rank) & 1) != (places.empty() ? 0u : 1u)) return "ready line: rank bit";
  if (places.fair ? !places.line.empty() || fairness_ == Fairness::kOff
                  : fairness_ != Fairness::kOff && !places.line.empty())
    return "ready line: jobs stand by group exactly when the queue is fair";
  const size_t before = seen.size();
  const char* fault =
      places.fair ? places.fair->find_fault(jobs, *groups_, seen) : places.line.find_fault(jobs, seen);
  for (size_t i = before; i < seen.size(); ++i) {
    const JobCore core = jobs.core(seen[i]);
    if (core.type != line.type || core.rank() != rank) return "ready line: a job stands in the wrong line";
  }
  return fault;
}

const char* ReadyQueue::find_group_fault(const JobTable& jobs, const std::vector<Slot>& seen) const {
  if (fairness_ == Fairness::kOff) return nullptr;
  std::map<GroupNo, uint64_t> counted;
  for (const Slot slot : seen) ++counted[jobs[slot].ready_group];
  const char* fault = nullptr;
  groups_->for_each([&](GroupNo number, const FairGroup& group) {
    if (counted[number] != group.jobs) fault = "fair groups: count of jobs";
    for (const uint32_t index : group.lines) {
      const FairLine* line = lines_[index].by_rank[group.rank].fair.get();
      if (line == nullptr || line->line_of(number) == nullptr) fault = "fair groups: lines";
    }
  });
  return fault;
}

const char* ReadyQueue::find_fault(const JobTable& jobs, std::vector<Slot>& seen) const {
  const size_t seen_before = seen.size();
  size_t idle = 0;
  if (index_.size() + free_.size() != lines_.size()) return "ready line: free lines";
  for (uint32_t index = 0; index < lines_.size(); ++index) {
    const Line& line = lines_[index];
    const auto found = index_.find(line.type);
    const bool free = std::count(free_.begin(), free_.end(), index) != 0;
    if (free ? line.count != 0 || line.warm : found == index_.end() || found->second != index)
      return "ready line: index of types";
    if (!free && line.count == 0) ++idle;
    const size_t line_before = seen.size();
    for (size_t rank = 0; rank < line.by_rank.size(); ++rank) {
      if (const char* fault = find_fault(jobs, line, rank, seen)) return fault;
    }
    if (seen.size() - line_before != line.count) return "ready line: count of jobs";
    if (std::count(warm_.begin(), warm_.end(), index) != (line.warm ? 1 : 0)) return "ready line: warm list";
  }
  if (idle != idle_) return "ready line: idle lines";
  if (seen.size() - seen_before != size_) return "ready queue: size";
  const auto first_seen = seen.begin() + static_cast<ptrdiff_t>(seen_before);
  const auto returned =
      std::count_if(first_seen, seen.end(), [&](Slot slot) { return jobs[slot].ready_returned; });
  for (const auto& [since, slot] : returned_)
    if (!jobs[slot].ready_returned || jobs.times(slot).ready_ns != since) return "ready queue: returned jobs";
  if (returned_.size() != static_cast<size_t>(returned)) return "ready queue: count of returned jobs";
  return find_group_fault(jobs, {seen.begin() + static_cast<ptrdiff_t>(seen_before), seen.end()});
}

const char* Timers::find_fault(std::vector<Slot>& seen) const {
  for (unsigned bucket = 0; bucket < heads_.size(); ++bucket) {
    const unsigned level = bucket / kBuckets;
    const unsigned index = bucket % kBuckets;
    if (((occupied_[level] >> index) & 1) != (heads_[bucket] != kNoSlot ? 1u : 0u)) return "timers: occupied";
    Slot before = kNoSlot;
    for (Slot at = heads_[bucket]; at != kNoSlot; at = jobs_[at].timer_next) {
      if (jobs_[at].timer_bucket != bucket + 1) return "timers: bucket number";
      if (jobs_[at].timer_prev != before) return "timers: back link";
      if (jobs_[at].timer_tick < expiry_tick(level, index)) return "timers: a timer would fire late";
      seen.push_back(before = at);
    }
  }
  std::unordered_set<Slot> due;
  for (const Slot slot : due_) {
    if (jobs_[slot].timer_bucket != kDueBucket || !due.insert(slot).second) continue;
    if (jobs_[slot].timer_tick > now_tick_) return "timers: due too early";
    seen.push_back(slot);
  }
  return nullptr;
}

const char* Consumers::find_fault(const Ring& ring, std::optional<TypeNo> type) const {
  size_t spare = 0;
  std::unordered_set<uint32_t> members;
  uint64_t before = 0;
  for (const Member& member : ring.members) {
    if (member.joined <= before) return "consumers: the order of a ring's members";
    before = member.joined;
    if (!is_there(member)) continue;
    const Consumer& consumer = consumers_[member.at];
    const auto& types = consumer.types;
    const bool takes = type ? std::count(types.begin(), types.end(), *type) == 1 : types.empty();
    if (!takes || !members.insert(member.at).second) return "consumers: a ring's members";
    if (consumer.spare()) ++spare;
  }
  if (members.size() != ring.there) return "consumers: a ring's count of its members";
  if (2 * ring.there < ring.members.size()) return "consumers: a ring has more who left than are there";
  return spare == ring.spare ? nullptr : "consumers: a ring's count of those with credit";
}

const char* Consumers::find_fault() const {
  size_t memberships = 0;
  for (const auto& [key, at] : index_) {
    if (consumers_[at].joined == 0 || !(consumers_[at].key == key)) return "consumers: index";
    memberships += std::max<size_t>(consumers_[at].types.size(), 1);
  }
  size_t members = every_type_.there;
  for (const auto& [type, ring] : by_type_) {
    if (ring.there == 0) return "consumers: a ring of nobody";
    members += ring.there;
    if (const char* fault = find_fault(ring, type)) return fault;
  }
  if (members != memberships) return "consumers: one is missing in a ring";
  if (index_.size() + free_.size() != consumers_.size()) return "consumers: free list";
  return find_fault(every_type_, std::nullopt);
}

// One walk; every step aborts at the first thing that is not as it must be.
class InvariantWalk {
 public:
  InvariantWalk(const State& state, State::Walk walk)
      : state_(state), walk_(walk), recounts_(state.queues_.size()), batches_(state.queues_.size()) {}

  void run() {
    tables();
    no_fault(state_.tables.schedules().find_fault(state_.tables.queue_count(), state_.tables.type_count()));
    state_.jobs.for_each([this](Slot slot) { job(slot); });
    queues();
    timers();
    held_lists();
    finished();
    live_index();
    blocks();
    no_fault(state_.idempotency.find_fault());
  }

 private:
  struct Recount {
    uint64_t ready = 0, scheduled = 0, held = 0, collecting = 0, keyed = 0, active = 0, turns_out = 0,
             parked = 0, bytes = 0;
  };

  static void must(bool holds, const char* invariant) {
    if (holds) return;
    std::fprintf(stderr, "core: broken invariant: %s\n", invariant);
    std::abort();
  }
  static void no_fault(const char* fault) { must(fault == nullptr, fault); }
  static bool held(const JobCore& core) {
    return core.state == JobState::kAssigned || core.state == JobState::kProcessing;
  }

  void tables() const {
    const Tables& tables = state_.tables;
    must(tables.queue_count() == state_.queues_.size(), "tables: one runtime for each queue");
    for (QueueNo queue = 0; queue < tables.queue_count(); ++queue)
      must(tables.find_queue(tables.queue(queue).name) == queue, "tables: index of queue names");
    for (TypeNo type = 0; type < tables.type_count(); ++type)
      must(tables.find_type(tables.type(type)) == type, "tables: index of type names");
    for (const auto& [number, session] : tables.sessions()) {
      must(session.number == number, "tables: a session under a foreign number");
      must(session.kept_receipts.size() <= session.receipts, "tables: more receipts kept than issued");
      std::set<uint32_t> numbers;
      for (const SubscriptionEntry& sub : session.subscriptions) {
        must(sub.queue < tables.queue_count(), "tables: a subscription to no queue");
        must(numbers.insert(sub.number).second, "tables: two subscriptions with one number");
      }
    }
  }

  void job(Slot slot) {
    const JobCore core = state_.jobs.core(slot);
    const Tables& tables = state_.tables;
    must(state_.jobs.find(core.no) == slot && state_.jobs.find(core.id) == slot, "job table: indexes");
    must(core.no != 0 && arrival(core.no) < tables.next_job, "job: number beyond the counter");
    must(is_memory(core.no) == (core.durability == Durability::kMemory),
         "job: number of the wrong durability");
    must(core.queue < tables.queue_count() && core.type < tables.type_count(), "job: queue and type");
    must(core.ready_seq < tables.next_ready_seq, "job: ready_seq beyond the counter");
    must(core.attempts <= core.max_attempts, "job: more attempts than allowed");
    must(held(core) == (core.holder != 0), "job: a holder exactly while it is held");
    must(is_finished(core.state) == (core.finished_ns != 0), "job: a finishing time exactly when finished");
    Recount& queue = recounts_[core.queue];
    const bool parked = core.state == JobState::kPending && core.pending == Pending::kParked;
    if (!parked && !is_finished(core.state)) queue.bytes += core.payload_bytes;
    if (core.keyed && !is_finished(core.state)) ++queue.keyed;
    if (held(core)) {
      ++queue.active;
      if (core.batch_place == 0 || batches_[core.queue][core.batch()]++ == 0) ++queue.turns_out;
      must(core.lease < tables.next_lease && core.lease_epoch <= tables.epoch, "job: lease of the future");
      must(core.attempts > 0, "job: held without an attempt");
      must(core.pending == Pending::kReady, "job: held without having been ready");
      return;
    }
    if (core.state != JobState::kPending) return;
    must(core.batch_place == 0 || core.pending == Pending::kReady, "job: of a batch and not ready");
    if (core.pending == Pending::kReady) {
      ++queue.ready;
      must(core.ready_seq != 0 && core.ready_ns != 0, "job: ready since never");
      must((core.batch_place != 0) == (core.mode == Mode::kBatch),
           "job: a batch job is ready with its batch only");
    } else if (core.pending == Pending::kCollecting) {
      ++queue.collecting;
      must(core.ready_seq != 0 && core.ready_ns != 0 && core.mode == Mode::kBatch,
           "job: collects since never");
      const auto& lines = state_.queues_[core.queue].collecting.lines();
      const auto line = lines.find(state_.collecting_key(slot));
      must(line != lines.end() && line->second.contains(core.ready_seq) &&
               line->second.at(core.ready_seq) == slot,
           "collecting: a job stands in another line");
    } else {
      if (core.pending == Pending::kParked)
        ++queue.parked;
      else
        ++(core.pending == Pending::kHeld ? queue.held : queue.scheduled);
      must(core.pending != Pending::kHeld || core.keyed, "job: held by a key that it does not have");
      must(core.ready_seq == 0, "job: a place in the ready order without being ready");
    }
  }

  // The first of a line may run, nobody else. Those that wait for room are not held by anything but that.
  void key_lines(QueueNo number) const {
    std::string_view before;
    state_.queues_[number].keys.for_each([&](std::string_view key, Slot slot) {
      const JobCore core = state_.jobs.core(slot);
      must(core.queue == number && core.keyed, "keys: stands in a foreign line");
      must(state_.ordering_key(slot) == key, "keys: stands under a foreign key");
      const bool first = key != before;
      const bool is_held = core.state == JobState::kPending && core.pending == Pending::kHeld;
      const bool is_parked = core.state == JobState::kPending && core.pending == Pending::kParked;
      const bool orphan = walk_ == State::Walk::kReplayed && first && is_held;
      must(is_parked || orphan || first != is_held, "keys: the first of a line, and it alone, is not held");
      before = key;
    });
  }

  void queues() const {
    size_t parked = 0;
    size_t dirty = 0;
    for (QueueNo number = 0; number < state_.queues_.size(); ++number) {
      const QueueRuntime& queue = state_.queues_[number];
      const Recount& counted = recounts_[number];
      ready(number);
      must(queue.ready.size() == counted.ready, "queue: every ready job stands in a line");
      must(queue.scheduled == counted.scheduled, "queue: count of scheduled jobs");
      must(queue.held == counted.held, "queue: count of held jobs");
      must(queue.keys.size() == counted.keyed, "keys: every keyed job stands in its line");
      key_lines(number);
      must(queue.active == counted.active, "queue: count of active jobs");
      must(queue.turns_out == counted.turns_out, "queue: count of jobs and batches in hand");
      must(queue.in_hand.size() == batches_[number].size(), "batches: one is in hand, and nobody has it");
      for (const auto& [batch, jobs] : batches_[number])
        must(queue.in_hand.jobs(batch) == jobs, "batches: count of jobs in hand");
      must(queue.collecting.size() == counted.collecting, "queue: count of collecting jobs");
      must(queue.bytes == counted.bytes, "queue: bytes of payloads");
      must(queue.parked.size() == counted.parked, "queue: every parked submit stands in line");
      for (const auto& [key, slot] : queue.parked) {
        const JobCore core = state_.jobs.core(slot);
        must(core.pending == Pending::kParked && core.queue == number, "parked: not a parked submit");
        must(key == std::pair(-int{state_.jobs.course(slot).parked_rank}, core.no),
             "parked: stands under a foreign key");
        must(state_.jobs.course(slot).parked_rank == state_.parked_rank(slot),
             "parked: under another rank than its own");
      }
      parked += queue.parked.size();
      dirty += queue.dirty ? 1 : 0;
      consumers(number);
    }
    must(parked == state_.parked_count_, "parked: count over all queues");
    must(dirty == state_.dirty_.size(), "dirty: list and marks");
    for (const QueueNo queue : state_.dirty_)
      must(state_.queues_[queue].dirty, "dirty: unmarked in the list");
  }

  void ready(QueueNo number) const {
    std::vector<Slot> seen;
    no_fault(state_.queues_[number].ready.find_fault(state_.jobs, seen));
    for (const Slot slot : seen) {
      const JobCore core = state_.jobs.core(slot);
      must(core.state == JobState::kPending && core.pending == Pending::kReady && core.queue == number,
           "ready line: holds a job that is not ready here");
    }
  }

  void consumers(QueueNo number) const {
    const Consumers& consumers = state_.queues_[number].consumers;
    no_fault(consumers.find_fault());
    size_t subscriptions = 0;
    for (const auto& [session, entry] : state_.tables.sessions()) {
      for (const SubscriptionEntry& sub : entry.subscriptions) {
        if (sub.queue != number) continue;
        ++subscriptions;
        uint32_t used = 0;
        std::set<uint64_t> batches;
        for (Slot at = state_.held(session).head; at != kNoSlot; at = state_.jobs[at].line_next) {
          const JobCore core = state_.jobs.core(at);
          if (core.subscription != sub.number || core.queue != number) continue;
          used += core.batch_place == 0 || batches.insert(core.batch()).second ? 1u : 0u;
        }
        const auto credits = consumers.credits({session, sub.number});
        must(credits && credits->granted == sub.credits, "consumers: credits differ from the subscription");
        must(credits->used == used, "consumers: used credits differ from the jobs held");
      }
    }
    must(consumers.size() == subscriptions, "consumers: one without a subscription");
  }

  void timers() const {
    std::vector<Slot> seen;
    no_fault(state_.timers.find_fault(seen));
    size_t wanted = 0;
    state_.jobs.for_each([&](Slot slot) {
      const JobCore core = state_.jobs.core(slot);
      TimeNs deadline = 0;
      if (core.state == JobState::kPending) deadline = state_.pending_deadline(slot);
      if (held(core)) deadline = core.lease_until_ns;
      if (deadline == 0) return;
      ++wanted;
      must(state_.jobs[slot].timer_bucket != 0, "timers: a deadline without a timer");
      must(state_.jobs[slot].timer_tick == Timers::tick_of(deadline), "timers: set to another time");
    });
    must(seen.size() == wanted, "timers: exactly the jobs with a deadline have one");
  }

  void held_lists() const {
    size_t jobs_held = 0;
    for (const auto& [session, list] : state_.held_) {
      must(list.count > 0, "held: an empty list is kept");
      must(state_.tables.session(session) != nullptr, "held: by a session that is gone");
      uint32_t count = 0;
      Slot before = kNoSlot;
      for (Slot at = list.head; at != kNoSlot; at = state_.jobs[at].line_next) {
        must(state_.jobs[at].line_prev == before, "held: back link");
        must(held(state_.jobs.core(at)) && state_.jobs.course(at).holder == session,
             "held: by somebody else");
        before = at;
        ++count;
      }
      must(count == list.count, "held: count");
      jobs_held += count;
    }
    uint64_t active = 0;
    for (const Recount& queue : recounts_) active += queue.active;
    must(jobs_held == active, "held: every leased job is in its holder's list");
  }

  void live_index() const { no_fault(state_.jobs.index().find_fault(state_.jobs)); }

  void finished() const {
    std::set<JobNo> listed;
    uint64_t last = 0;
    for (const auto& [commit, job] : state_.finished_) {
      must(commit >= last && commit <= state_.commit, "finished: order of commits");
      last = commit;
      must(listed.insert(job).second || state_.amended_.contains(job), "finished: a job is listed twice");
      const Slot slot = state_.jobs.find(job);  // none: it was redriven meanwhile
      must(slot == kNoSlot || is_finished(state_.jobs[slot].state), "finished: a live job is listed");
    }
    for (const JobNo job : state_.memory_finished_) must(listed.insert(job).second, "finished: listed twice");
    state_.jobs.for_each([&](Slot slot) {
      const JobCore core = state_.jobs.core(slot);
      must(!is_finished(core.state) || listed.contains(core.no), "finished: a job would never be retired");
    });
  }

  void blocks() const {
    std::unordered_map<BlockNo, uint32_t> users;
    state_.jobs.for_each([&](Slot slot) {
      ++users[state_.jobs[slot].record.block];
      const JobExtra* extra = state_.jobs.extra_of(slot);
      if (extra != nullptr && !extra->result.empty()) ++users[extra->result.block];
    });
    // Whoever fills a commit or publishes a delivery uses blocks as well.
    for (const auto& [block, count] : users)
      must(state_.blocks.users(block) >= count, "blocks: fewer users than the jobs that stand in one");
  }

  const State& state_;
  State::Walk walk_;
  std::vector<Recount> recounts_;
  std::vector<std::map<uint64_t, uint32_t>> batches_;  // per queue: jobs in hand
};

void State::check_invariants(Walk walk) const { InvariantWalk(*this, walk).run(); }

}  // namespace pqd
