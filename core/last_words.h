// What the journal has said last of each live job. A row that says something else is of another time: a
// checkpoint that should have brought it up to date is lost. Pure.
#pragma once

#include <optional>
#include <unordered_map>

#include "core/event_codec.h"
#include "core/journal_entry.h"

namespace pqd {

class LastWords {
 public:
  // Commits in their order. Of a job that has ended its word is kept only if `has_row(job)`.
  template <class HasRow>
  void take(const EntryView& entry, HasRow&& has_row) {
    ByteReader reader(entry.events);
    const auto hear = [&](const auto& event) {
      if (const JobNo over = hear_event(event); over != 0 && !has_row(over)) words_.erase(over);
    };
    while (reader.remaining() > 0 && decode_event(reader, hear)) {
    }
  }
  // Commits are missing here: all but an end may have been followed by another word.
  void miss_some() {
    std::erase_if(words_, [](const auto& word) { return !word.second.ended; });
  }
  bool ended(JobNo job) const {
    const auto found = words_.find(job);
    return found != words_.end() && found->second.ended;
  }
  // Whether a row of a live job is of another time than the last commit taken. Where commits are missing it
  // may be and nobody knows.
  bool contradict(const JobCore& row) const {
    const auto found = words_.find(row.no);
    if (found == words_.end()) return false;
    const Word& word = found->second;
    return word.ended || word.state != row.state || word.lease.value_or(row.lease) != row.lease ||
           word.ready_seq != row.ready_seq;
  }

 private:
  struct Word {
    bool ended = false;
    JobState state = JobState::kPending;
    std::optional<uint64_t> lease;  // the number of its latest; nothing: as in its earlier life
    uint64_t ready_seq = 0;
  };

  // Each returns the job that has ended, or 0.
  template <class Event>
  JobNo hear_event(const Event& /*nothing that a row must agree on*/) {
    return 0;
  }
  JobNo hear_event(const Submitted& e) {
    words_[e.job] = {.lease = e.parked ? e.seq : 0, .ready_seq = e.ready_seq};
    return 0;
  }
  JobNo hear_event(const Redriven& e) {
    words_[e.job] = {.lease = std::nullopt, .ready_seq = e.ready_seq};
    return 0;
  }
  JobNo hear_event(const Admitted& e) { return ready(e.job, e.ready_seq); }
  JobNo hear_event(const KeyTurn& e) { return ready(e.job, e.ready_seq); }
  JobNo hear_event(const Readied& e) { return ready(e.job, e.ready_seq); }
  JobNo hear_event(const BatchFormed& e) {
    for (size_t i = 0; i < e.jobs.size(); ++i) ready(e.jobs[i], e.first_ready_seq + i);
    return 0;
  }
  JobNo hear_event(const Assigned& e) {
    return change(e.job, [&](Word& word) { word.state = JobState::kAssigned, word.lease = e.lease; });
  }
  JobNo hear_event(const Started& e) {
    return change(e.job, [](Word& word) { word.state = JobState::kProcessing; });
  }
  JobNo hear_event(const AttemptFailed& e) {
    return change(e.job, [](Word& word) { word.state = JobState::kPending, word.ready_seq = 0; });
  }
  JobNo hear_event(const Released& e) {
    return change(e.job, [](Word& word) { word.state = JobState::kPending; });
  }
  JobNo hear_event(const Completed& e) { return end(e.job); }
  JobNo hear_event(const Failed& e) { return end(e.job); }
  JobNo hear_event(const TimedOut& e) { return end(e.job); }
  JobNo hear_event(const Cancelled& e) { return end(e.job); }
  JobNo hear_event(const ParkRefused& e) { return end(e.job); }

  // Of one whose earlier words are missing nothing is known but an end.
  template <class F>
  JobNo change(JobNo job, F&& f) {
    if (const auto found = words_.find(job); found != words_.end()) f(found->second);
    return 0;
  }
  JobNo ready(JobNo job, uint64_t ready_seq) {
    if (ready_seq == 0) return 0;
    return change(job, [ready_seq](Word& word) { word.ready_seq = ready_seq; });
  }
  JobNo end(JobNo job) {
    words_[job].ended = true;
    return job;
  }

  std::unordered_map<JobNo, Word> words_;
};

}  // namespace pqd
