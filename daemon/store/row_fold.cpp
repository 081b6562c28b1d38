#include "daemon/store/row_fold.h"

#include <endian.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/canary.h"
#include "core/event_codec.h"
#include "core/journal_entry.h"

namespace pqd {

ByteView Birth::row_in(JobRow& scratch_row, Bytes& scratch) const {
  if (!row.empty()) return row;
  scratch_row.core = core;
  encode_row(scratch_row, scratch);
  return scratch;
}

Bytes Birth::whole_row() const {
  if (commit == 0) return row;
  JobRow scratch_row;
  Bytes scratch;
  const ByteView without = row_in(scratch_row, scratch);
  Bytes whole;
  whole.reserve(without.size() + record.bytes + sizeof(uint64_t));
  if (!append_row(without, record_bytes(), whole)) std::abort();
  return whole;
}

namespace {

// In the order of their first eight bytes, in which they go into the store at a fraction of the cost; they
// are hashes, so that hardly two have these in common. What was noted of one key keeps its order.
NotedKeys in_order(const NotedKeys& noted) {
  std::vector<std::pair<uint64_t, uint32_t>> places;
  places.reserve(noted.size());
  for (uint32_t at = 0; at < noted.size(); ++at) {
    uint64_t first = 0;
    std::memcpy(&first, noted[at].first.data(), sizeof first);
    places.emplace_back(be64toh(first), at);
  }
  std::ranges::sort(places);
  NotedKeys ordered;
  ordered.reserve(noted.size());
  for (const auto& [first, at] : places) ordered.push_back(noted[at]);
  return ordered;
}

}  // namespace

// Takes each event of one commit to the rows, with what it points to in the block.
class RowFolder {
 public:
  RowFolder(RowFold& to, const Bytes& block) : to_(to), whole_block_(block), block_(block) {}

  template <class Event>
  void operator()(const Event& e) {
    if (!to_.error_) take(e);
  }

 private:
  TimeNs now() const { return to_.tables_.now_ns; }

  ByteView bytes(const BlobRef& blob) {
    if (size_t{blob.offset} + blob.bytes > block_.size()) {
      to_.error_ = StoreError{Error::kSystemError, "an event points beyond its commit's block", true};
      return {};
    }
    return block_.subspan(blob.offset, blob.bytes);
  }

  // The row of an earlier checkpoint.
  std::optional<MetricsRow> stored_figures(const MetricsKey& key) {
    const auto bytes = to_.store_.find_metrics(key);
    if (!bytes) {
      to_.error_ = bytes.error();
      return std::nullopt;
    }
    if (!*bytes) return std::nullopt;
    auto row = decode_metrics_row(**bytes);
    if (!row) to_.error_ = StoreError{Error::kSystemError, "a row of figures is damaged", true};
    return row;
  }
  // `job` as the event left it.
  template <class Event>
  void count(const JobCore& job, const Event& e) {
    if constexpr (requires { change_of(job, e, TimeNs{}); })
      to_.metrics_.count(job.queue, job.type, change_of(job, e, now()), now(), stored_figures_);
  }

  // Events about one job that change nothing but its row.
  template <class Event>
  requires requires(JobCore& job, const Event& e) { pqd::fold(job, e, TimeNs{}); }
  void take(const Event& e) {
    if (JobCore* core = to_.find_core(e.job)) {
      pqd::fold(*core, e, now());
      count(*core, e);
    }
    if constexpr (requires(Tables & t) { t.apply(e); }) to_.tables_.apply(e);
  }
  // Events about the tables only.
  template <class Event>
  requires(
      !requires(JobCore & job, const Event& e) { pqd::fold(job, e, TimeNs{}); } &&
      requires(Tables & t, const Event& e) { t.apply(e); }) void take(const Event& e) {
    to_.tables_.apply(e);
  }
  void take(const Refused& /*audit only*/) {}

  void take(const Submitted& e) {
    const ByteView record = bytes(e.record);
    const auto submit = read_submit_record(record);
    if (!submit) {
      if (!to_.error_)
        to_.error_ = StoreError{Error::kSystemError, "a submit record in a block is damaged", true};
      return;
    }
    auto& births = to_.births_;
    if (!births.empty() && e.job <= births.back().job) {
      to_.error_ =
          StoreError{Error::kSystemError,
                     "job " + std::to_string(e.job) + " is born behind one with a higher number", true};
      return;
    }
    if (births.empty()) births.reserve(to_.births_before_);
    Birth& birth = births.emplace_back();
    birth.job = e.job;
    birth.commit = to_.folded_ + 1;
    birth.record = e.record;
    birth.block = &whole_block_;
    birth.core = born(e, *submit, to_.tables_.queue(e.queue).settings, now());
    count(birth.core, e);
    to_.tables_.apply(e, submit->head.id);
    to_.pending_bytes_ += sizeof(JobCore) + record.size();
  }
  void take(const CronSet& e) { to_.tables_.apply(e, bytes(e.record)); }
  void take(const Assigned& e) {
    if (JobCore* core = to_.find_core(e.job)) {
      pqd::fold(*core, e, to_.tables_.epoch, now());
      count(*core, e);
    }
    to_.tables_.apply(e);
  }
  void take(const ParkRefused& e) {
    if (RowFold::Entry* entry = to_.find(e.job)) entry->gone = true;
  }
  void take(const KeyKept& e) {
    to_.keys_.emplace_back(e.key, KeptKey{e.content, e.id, e.expires_ns});
    to_.pending_bytes_ += sizeof(KeyKept);
  }
  void take(const KeyFreed& e) {
    to_.keys_.emplace_back(e.key, std::nullopt);
    to_.pending_bytes_ += sizeof(KeyFreed);
  }
  void take(const BatchFormed& e) {
    for (size_t i = 0; i < e.jobs.size(); ++i)
      if (JobCore* core = to_.find_core(e.jobs[i])) pqd::fold(*core, e, i, now());
    to_.tables_.apply(e);
  }
  void take(const Completed& e) {
    const ByteView result = bytes(e.result);
    if (Birth* birth = to_.find_birth(e.job)) {
      pqd::fold(birth->core, e, now());
      count(birth->core, e);
      return to_.complete(*birth, result);
    }
    if (RowFold::Entry* entry = to_.find(e.job)) {
      pqd::fold(entry->row.core, e, now());
      count(entry->row.core, e);
      entry->row.result.assign(result.begin(), result.end());
      to_.pending_bytes_ += result.size();
      to_.finish(*entry, false);
    }
  }
  void take(const Cancelled& e) {
    if (RowFold::Entry* entry = to_.find(e.job)) {
      pqd::fold(entry->row.core, e, now());
      count(entry->row.core, e);
      to_.finish(*entry, false);
    }
  }
  void take(const AttemptFailed& e) {
    if (RowFold::Entry* entry = to_.find(e.job)) {
      note_attempt(*entry, e.reason, e.error);
      pqd::fold(entry->row.core, e, now());
      count(entry->row.core, e);
    }
  }
  void take(const Failed& e) {
    if (RowFold::Entry* entry = to_.find(e.job)) {
      note_attempt(*entry, e.reason, e.error);
      pqd::fold(entry->row.core, e, now());
      count(entry->row.core, e);
      bury(*entry);
    }
  }
  void take(const TimedOut& e) {
    if (RowFold::Entry* entry = to_.find(e.job)) {
      pqd::fold(entry->row.core, e, now());
      count(entry->row.core, e);
      bury(*entry);
    }
  }
  void take(const Extended& e) {
    const ByteView note = bytes(e.note);
    if (note.empty()) {
      if (JobCore* core = to_.find_core(e.job)) pqd::fold(*core, e, now());
    } else if (RowFold::Entry* entry = to_.find(e.job)) {
      pqd::fold(entry->row.core, e, now());
      entry->row.note = as_text(note);
    }
  }
  void take(const Redriven& e) {
    auto was = decode_row(bytes(e.row));
    const ByteView record = bytes(e.record);
    if (!was || to_.error_) {
      if (!to_.error_)
        to_.error_ = StoreError{Error::kSystemError, "a redriven row in a block is damaged", true};
      return;
    }
    const auto earlier = to_.entries_.find(e.was);
    if (earlier != to_.entries_.end()) {
      if (earlier->second.stored) to_.batch_.live_deletes.push_back(e.was);
      to_.entries_.erase(earlier);
    }
    to_.batch_.done_deletes.push_back(was->core.id);
    std::erase_if(to_.batch_.dead_letter_puts, [&e](const auto& put) { return put.first == e.was; });
    to_.batch_.dead_letter_deletes.push_back(e.was);
    to_.tables_.count_dead_letter(was->core.queue, -1);
    RowFold::Entry& entry = to_.entries_[e.job];
    entry.row = std::move(*was);
    entry.row.core = reborn(e, entry.row.core, now());
    entry.row.record.assign(record.begin(), record.end());
    entry.row.result.clear();
    entry.row.note.clear();  // of the earlier life, as in State
    count(entry.row.core, e);
    to_.tables_.apply(e);
    to_.pending_bytes_ += record.size();
  }

  void take(const Reviewed& e) {
    const std::string_view resolution = as_text(bytes(e.resolution));
    if (RowFold::Entry* entry = amended(e.job, e.row, e.record))
      amend(entry->row, e, to_.tables_.uid_of(e.by), resolution, now());
  }
  void take(const Purged& e) {
    RowFold::Entry* entry = amended(e.job, e.row, e.record);
    if (entry == nullptr) return;
    amend(entry->row, e, now());
    std::erase_if(to_.batch_.dead_letter_puts, [&e](const auto& put) { return put.first == e.job; });
    to_.batch_.dead_letter_deletes.push_back(e.job);
    to_.tables_.count_dead_letter(entry->row.core.queue, -1);
  }

  // The row of a finished job that is about to change, from the event that changes it.
  RowFold::Entry* amended(JobNo job, const BlobRef& row_at, const BlobRef& record_at) {
    auto row = decode_row(bytes(row_at));
    const ByteView record = bytes(record_at);
    if (!row || to_.error_) {
      if (!to_.error_)
        to_.error_ = StoreError{Error::kSystemError, "a dead letter's row in a block is damaged", true};
      return nullptr;
    }
    RowFold::Entry& entry = to_.entries_[job];
    entry.row = std::move(*row);
    entry.row.record.assign(record.begin(), record.end());
    to_.pending_bytes_ += sizeof(JobCore) + record.size();
    return &entry;
  }
  void note_attempt(RowFold::Entry& entry, Reason reason, const BlobRef& error) {
    if (PQD_CANARY("dead-letter-without-history")) return;
    const uint32_t holder_uid = to_.tables_.uid_of(entry.row.core.holder);
    entry.row.history.push_back(
        ended_attempt(entry.row.core, holder_uid, reason, as_text(bytes(error)), now()));
    to_.pending_bytes_ += error.bytes;
  }
  void bury(RowFold::Entry& entry) {
    to_.tables_.count_dead_letter(entry.row.core.queue, +1);
    to_.batch_.dead_letter_puts.emplace_back(entry.row.core.no, entry.row.core.id);
    to_.finish(entry, true);
  }

  RowFold& to_;
  const Bytes& whole_block_;
  const ByteView block_;
  MetricsFold::Stored stored_figures_ = [this](const MetricsKey& key) { return stored_figures(key); };
};

Birth* RowFold::find_birth(JobNo job) {
  if (births_.empty() || job < births_.front().job || job > births_.back().job) return nullptr;
  // As a rule every number is one of them.
  auto at = births_.begin() + static_cast<ptrdiff_t>(std::min(job - births_.front().job, births_.size() - 1));
  if (at->job != job) at = std::ranges::lower_bound(births_.begin(), at, job, {}, &Birth::job);
  return at->job == job && at->commit != 0 ? &*at : nullptr;
}

RowFold::Entry& RowFold::make_entry(Birth& birth) {
  Entry& entry = entries_[birth.job];
  entry.row.core = birth.core;
  entry.commit = std::exchange(birth.commit, 0);
  entry.record = birth.record;
  entry.block = birth.block;
  return entry;
}

JobCore* RowFold::find_core(JobNo job) {
  if (Birth* birth = find_birth(job)) return &birth->core;
  Entry* entry = find(job);
  return entry != nullptr ? &entry->row.core : nullptr;
}

RowFold::Entry* RowFold::find(JobNo job) {
  if (Birth* birth = find_birth(job)) return &make_entry(*birth);
  const auto found = entries_.find(job);
  if (found != entries_.end()) return &found->second;
  if (auto known = remembered_.extract(job)) {
    remembered_bytes_ -= known.mapped().bytes();
    pending_bytes_ += known.mapped().bytes();
    return &entries_.insert(std::move(known)).position->second;
  }
  auto bytes = store_.find_live(job);
  if (!bytes) {
    error_ = bytes.error();
    return nullptr;
  }
  auto row = *bytes ? decode_row(**bytes) : std::unexpected(Error::kNotFound);
  if (!row) {
    error_ = StoreError{Error::kSystemError,
                        "the row of live job " + std::to_string(job) + " is missing or damaged", true};
    return nullptr;
  }
  pending_bytes_ += (*bytes)->size();
  Entry& entry = entries_[job];
  entry.row = std::move(*row);
  entry.stored = true;
  return &entry;
}

void RowFold::Entry::own_record() {
  if (block == nullptr) return;
  const ByteView bytes = record_bytes();
  row.record.assign(bytes.begin(), bytes.end());
  block = nullptr;
  commit = 0;
}

void RowFold::finish(Entry& entry, bool keep_payload) {
  if (keep_payload) return entry.own_record();
  const size_t before = entry.record_bytes().size();
  drop_payload(entry.row, entry.record_bytes());
  entry.block = nullptr;
  entry.commit = 0;
  pending_bytes_ -= before - entry.row.record.size();
}

// Nothing is heard of it any more: its row is made at once.
void RowFold::complete(Birth& birth, ByteView result) {
  completed_.core = birth.core;
  completed_.payload_dropped = false;
  drop_payload(completed_, birth.record_bytes());
  completed_.result.assign(result.begin(), result.end());
  batch_.done_puts.emplace_back(birth.core.id, encode_row(completed_));
  birth.commit = 0;
  pending_bytes_ += result.size() + completed_.record.size();
  pending_bytes_ -= birth.record.bytes;
}

StoreResult<void> RowFold::fold(uint64_t number, ByteView entry, std::shared_ptr<const Bytes> block) {
  const auto view = read_entry(entry);
  if (!view || view->head.number != number || number != folded_ + 1) {
    return std::unexpected(StoreError{
        Error::kSystemError, "commit " + std::to_string(number) + " cannot be folded into rows", true});
  }
  held_bytes_ += block->size();
  RowFolder folder(*this, *blocks_.emplace_back(std::move(block)));
  ByteReader reader(view->events);
  while (!error_ && reader.remaining() > 0) {
    if (!decode_event(reader, folder)) {
      error_ = StoreError{Error::kSystemError, "commit " + std::to_string(number) + " holds a damaged event",
                          true};
    }
  }
  if (error_) return std::unexpected(*error_);
  folded_ = number;
  changed_ = true;
  if (held_bytes_ > held_bytes_max_) let_blocks_go();
  return {};
}

void RowFold::let_blocks_go() {
  for (Birth& birth : births_)
    if (birth.commit != 0) make_entry(birth);
  births_.clear();
  for (auto& [job, entry] : entries_) entry.own_record();
  blocks_.clear();
  held_bytes_ = 0;
}

void RowFold::remember(std::vector<Entries::node_type> living) {
  size_t bytes = 0;
  for (const auto& node : living) bytes += node.mapped().bytes();
  for (const Birth& birth : births_) bytes += sizeof(Entry) + birth.record.bytes;
  // All of them or none: which of them will be asked for next depends on the queues.
  if (remembered_bytes_ + bytes > remembered_bytes_max_) {
    remembered_.clear();
    remembered_bytes_ = 0;
  }
  if (bytes > remembered_bytes_max_) return;
  remembered_bytes_ += bytes;
  for (auto& node : living) {
    // One job must not keep the block of its whole commit.
    node.mapped().own_record();
    node.mapped().stored = true;
    remembered_.insert(std::move(node));
  }
  for (const Birth& birth : births_) {
    Entry& entry = remembered_[birth.job];
    const ByteView record = birth.record_bytes();
    entry.row.core = birth.core;
    entry.row.record.assign(record.begin(), record.end());
    entry.stored = true;
  }
}

CheckpointBatch RowFold::take() {
  CheckpointBatch batch = std::move(batch_);
  batch_ = {};
  births_before_ = births_.size();
  std::erase_if(births_, [](const Birth& birth) { return birth.commit == 0; });
  std::vector<Entries::node_type> living;
  while (!entries_.empty()) {
    auto node = entries_.extract(entries_.begin());
    const JobNo job = node.key();
    Entry& entry = node.mapped();
    const bool finished = is_finished(entry.row.core.state);
    if ((finished || entry.gone) && entry.stored) batch.live_deletes.push_back(job);
    if (entry.gone) continue;
    if (finished) {
      batch.done_puts.emplace_back(entry.row.core.id, encode_row(entry.row));
      continue;
    }
    if (entry.stored)
      batch.live_puts.emplace_back(job, encode_row(entry.row));
    else
      batch.births.push_back({job, encode_row(entry.row), entry.commit, entry.record, entry.block, {}});
    living.push_back(std::move(node));
  }
  remember(std::move(living));
  // In the order of their keys, in which they go into the store at the least cost.
  std::ranges::sort(batch.births, {}, &Birth::job);
  batch.births.swap(births_);
  const auto unchanged = static_cast<ptrdiff_t>(batch.births.size());
  std::ranges::move(births_, std::back_inserter(batch.births));
  std::ranges::inplace_merge(batch.births, batch.births.begin() + unchanged, {}, &Birth::job);
  births_.clear();
  batch.blocks = std::exchange(blocks_, {});
  std::ranges::sort(batch.live_puts, {}, &std::pair<JobNo, Bytes>::first);
  std::ranges::sort(batch.live_deletes);
  std::ranges::sort(batch.done_puts, {}, &std::pair<JobId, Bytes>::first);
  batch.keys = in_order(keys_);
  keys_.clear();
  batch.metrics = metrics_.take();
  batch.covered = folded_;
  batch.now_ns = tables_.now_ns;
  batch.tables = tables_.encode();
  pending_bytes_ = 0;
  held_bytes_ = 0;
  changed_ = false;
  return batch;
}

}  // namespace pqd
