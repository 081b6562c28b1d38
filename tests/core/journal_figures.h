// The figures of a journal by MetricsFold, over the facts of its jobs as the other folds have them, and a
// store that is a map. Takes what changed out after every `take_every` commits, and goes on with a new fold
// after every third time, as a restart does.
#pragma once

#include <map>

#include "core/event_codec.h"
#include "core/fold.h"
#include "core/journal_entry.h"
#include "core/metrics_fold.h"

namespace pqd::test {

class JournalFigures {
 public:
  explicit JournalFigures(size_t take_every) : take_every_(take_every) {}

  void add(ByteView entry, ByteView block) {
    block_ = block;
    ByteReader events(read_entry(entry)->events);
    while (events.remaining() > 0 && decode_event(events, *this)) {
    }
    if (++commits_ % take_every_ == 0) store();
    if (commits_ % (3 * take_every_) == 0) fold_.emplace();
  }
  // Everything that was counted is in it.
  const std::map<MetricsKey, MetricsRow>& rows() {
    store();
    return rows_;
  }

  template <class Event>
  void operator()(const Event& e) {
    take(e);
  }

 private:
  void store() {
    for (const auto& [key, bytes] : fold_->take()) rows_[key] = decode_metrics_row(bytes).value();
  }
  template <class Event>
  void count(const JobCore& job, const Event& e) {
    if constexpr (requires { change_of(job, e, now_ns_); })
      fold_->count(job.queue, job.type, change_of(job, e, now_ns_), now_ns_, stored_);
  }

  template <class Event>
  void take(const Event& e) {
    if constexpr (requires(JobCore & job) { pqd::fold(job, e, now_ns_); }) {
      pqd::fold(jobs_[e.job], e, now_ns_);
      count(jobs_[e.job], e);
    }
  }
  void take(const Reviewed& /*its job may be of an earlier journal*/) {}
  void take(const Purged& /*the same*/) {}
  void take(const TimePassed& e) { now_ns_ = e.now_ns; }
  void take(const Submitted& e) {
    const auto submit = read_submit_record(block_.subspan(e.record.offset, e.record.bytes));
    jobs_[e.job] = born(e, *submit, {}, now_ns_);
    count(jobs_[e.job], e);
  }
  void take(const Assigned& e) {
    pqd::fold(jobs_[e.job], e, 1, now_ns_);
    count(jobs_[e.job], e);
  }
  void take(const BatchFormed& e) {
    for (size_t i = 0; i < e.jobs.size(); ++i) pqd::fold(jobs_[e.jobs[i]], e, i, now_ns_);
  }
  void take(const Redriven& e) {
    jobs_[e.job] = reborn(e, jobs_[e.was], now_ns_);
    count(jobs_[e.job], e);
  }

  size_t take_every_;
  size_t commits_ = 0;
  ByteView block_;
  TimeNs now_ns_ = 0;
  std::map<JobNo, JobCore> jobs_;
  std::optional<MetricsFold> fold_{std::in_place};
  std::map<MetricsKey, MetricsRow> rows_;
  MetricsFold::Stored stored_ = [this](const MetricsKey& key) {
    const auto at = rows_.find(key);
    return at == rows_.end() ? std::nullopt : std::optional(at->second);
  };
};

}  // namespace pqd::test
