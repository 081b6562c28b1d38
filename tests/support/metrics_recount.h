// The figures of a journal counted a second time, from its events alone and from the first of them on: what
// rows in a store have to come to.
#pragma once

#include <map>

#include "core/event_codec.h"
#include "core/journal_entry.h"
#include "core/metrics_row.h"

namespace pqd::test {

class MetricsRecount {
 public:
  // The next commit's entry. REQUIRES: it is whole.
  void add(ByteView entry) {
    ByteReader events(read_entry(entry)->events);
    while (events.remaining() > 0 && decode_event(events, *this)) {
    }
  }
  const std::map<MetricsKey, MetricsRow>& rows() const { return rows_; }
  // All minutes in one.
  MetricsRow total() const {
    MetricsRow sum;
    for (const auto& [key, row] : rows_)
      if (key.resolution == MetricsResolution::kMinute) sum.merge(row);
    return sum;
  }

  template <class Event>
  void operator()(const Event& e) {
    take(e);
  }

 private:
  struct Known {
    QueueNo queue = 0;
    TypeNo type = 0;
    TimeNs ready_ns = 0;
    TimeNs assigned_ns = 0;
  };

  template <class Change>
  void both(JobNo job, Change change) {
    for (const auto resolution : {MetricsResolution::kMinute, MetricsResolution::kHour}) {
      const TimeNs length = resolution == MetricsResolution::kMinute ? 60'000'000'000 : 3'600'000'000'000;
      change(rows_[{resolution, now_ns_ / length * length, jobs_[job].queue, jobs_[job].type}]);
    }
  }
  void count(JobNo job, uint64_t MetricsCounts::*counter) {
    both(job, [counter](MetricsRow& row) { ++(row.counts.*counter); });
  }
  void ready(JobNo job, bool is_ready) {
    if (is_ready) jobs_[job].ready_ns = now_ns_;
  }

  template <class Event>
  void take(const Event& /*tells of no job's progress*/) {}
  void take(const TimePassed& e) { now_ns_ = e.now_ns; }
  void take(const Submitted& e) {
    jobs_[e.job] = {e.queue, e.type};
    ready(e.job, e.ready_seq != 0);
    if (!e.parked) count(e.job, &MetricsCounts::submitted);
  }
  void take(const Admitted& e) {
    ready(e.job, e.ready_seq != 0);
    count(e.job, &MetricsCounts::submitted);
  }
  void take(const KeyTurn& e) { ready(e.job, e.ready_seq != 0); }
  void take(const Readied& e) { ready(e.job, true); }
  void take(const Released& e) { ready(e.job, true); }
  void take(const BatchFormed& e) {
    for (const JobNo job : e.jobs) ready(job, true);
  }
  void take(const Assigned& e) {
    Known& job = jobs_[e.job];
    job.assigned_ns = now_ns_;
    const auto waited = static_cast<uint64_t>(now_ns_ - job.ready_ns);
    both(e.job, [waited](MetricsRow& row) { row.wait.add(waited); });
  }
  void take(const Completed& e) {
    const auto took = static_cast<uint64_t>(now_ns_ - jobs_[e.job].assigned_ns);
    both(e.job, [took](MetricsRow& row) { row.processing.add(took); });
    count(e.job, &MetricsCounts::completed);
  }
  void take(const AttemptFailed& e) { count(e.job, &MetricsCounts::retried); }
  void take(const Failed& e) { count(e.job, &MetricsCounts::failed); }
  void take(const TimedOut& e) { count(e.job, &MetricsCounts::timed_out); }
  void take(const Cancelled& e) { count(e.job, &MetricsCounts::cancelled); }
  void take(const Redriven& e) {
    jobs_[e.job] = jobs_[e.was];
    ready(e.job, e.ready_seq != 0);
    count(e.job, &MetricsCounts::redriven);
  }

  TimeNs now_ns_ = 0;
  std::map<JobNo, Known> jobs_;
  std::map<MetricsKey, MetricsRow> rows_;
};

}  // namespace pqd::test
