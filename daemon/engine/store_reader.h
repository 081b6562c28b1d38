// Answers what only the store knows, on a thread of its own, so that a long look through finished jobs holds
// up no turn of the broker. Questions are taken in turns: one look of bounded length each, then the next
// one's. A store that cannot be read ends the process.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/job_filter.h"
#include "core/job_row.h"
#include "core/metrics_sum.h"
#include "daemon/store/done_cursor.h"

namespace pqd {

// A sum of figures under way, and the key at which it goes on.
struct MetricsLook {
  explicit MetricsLook(MetricsSum whole) : sum(std::move(whole)), next(sum.first_key()) {}
  MetricsSum sum;
  MetricsKey next;
};

struct StoreQuestion {
  QueryKind kind = QueryKind::kJob;  // kJob, kJobs, kDlq, kDlqJob, kExplain, kMetrics, kCopy
  Asker asker;
  uint64_t request = 0;
  JobId id;          // kJob, kDlqJob, kExplain
  JobFilter filter;  // kJobs, kDlq
  std::vector<JobRow>
      rows;  // in: those that memory knows; out: all, in the order asked for, at most the filter's limit
  size_t rows_looked = 0;                  // out: rows of the store and of its index that were looked at
  std::shared_ptr<DoneCursor> cursor{};    // of a list under way
  size_t found = 0;                        // in the store so far
  std::shared_ptr<MetricsLook> metrics{};  // kMetrics
  StoreResult<std::string> copy{};         // kCopy
  // Lists, and `retired` of one job:
  std::vector<JobRow> kept{};        // what earlier rounds of the page found
  std::optional<JobCore> full_to{};  // the last one of a round that was full
  uint64_t retired = 0;              // memory had forgotten jobs up to this commit when it was asked
  bool read_again = false;           // only whether `rows` are still what was asked for
  // One job:
  uint8_t asked_again = 0;  // so many times
};

// Whether a row that was found for the question belongs to its list when the job is this by now.
bool still_listed(const StoreQuestion& question, const JobRow& row, const JobCore& now);

class StoreReader {
 public:
  // `news` is called by the reader's thread when there are answers to take.
  StoreReader(const Store& store, std::function<void()> news);
  ~StoreReader();

  void ask(StoreQuestion question);
  // The session has gone: none of its questions is looked at again.
  void forget(SessionNo session);
  std::vector<StoreQuestion> take_answered();

 private:
  void run();
  // One look; true when the question is answered.
  bool answer(StoreQuestion& question) const;

  const Store& store_;
  std::function<void()> news_;

  std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  std::deque<StoreQuestion> asked_;
  std::vector<StoreQuestion> answered_;
  SessionNo asker_ = 0;      // of the question in hand
  bool asker_gone_ = false;  // since it was taken in hand
  bool stopping_ = false;

  std::thread thread_;
};

// Newest first; of two rows of one job the first in `rows` counts; at most `limit`.
void merge_rows(std::vector<JobRow>& rows, uint32_t limit);
// The same by growing numbers.
void merge_rows_by_number(std::vector<JobRow>& rows, uint32_t limit);

}  // namespace pqd
