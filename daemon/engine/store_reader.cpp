#include "daemon/engine/store_reader.h"

#include <algorithm>

#include "daemon/engine/fail_stop.h"
#include "daemon/store/record_reader.h"

namespace pqd {
namespace {

// What one look at a list sees at most; the next question has its turn then.
constexpr size_t kLookRowsMax = 4'096;

JobRow must_decode(ByteView bytes) {
  auto row = decode_row(bytes);
  if (!row)
    fail_stop({Error::kSystemError, "the row of a finished job cannot be read: the store is damaged", true});
  return std::move(*row);
}

std::optional<JobRow> find(const Store& store, const JobId& id) {
  const auto bytes = store.find_done(id);
  if (!bytes) fail_stop(bytes.error());
  if (!*bytes) return std::nullopt;
  return must_decode(**bytes);
}

// Memory knows some jobs without their records, which are here.
void add_records(const Store& store, StoreQuestion& question) {
  const bool list = question.kind == QueryKind::kJobs || question.kind == QueryKind::kDlq;
  RecordsRead together;  // the rows of a page stand close together
  std::erase_if(question.rows, [&](JobRow& row) {
    if (!row.record.empty()) return false;
    auto record = together.find(row.core.no);
    if (!record) {
      auto read = find_records(store, row.core.no, row.core.id);
      if (!read) fail_stop(read.error());
      if (!*read) return true;
      together = std::move(**read);
      record = together.find(row.core.no);
    }
    row.record.assign(record->begin(), record->end());
    if (list) drop_payload(row);
    return false;
  });
}

// Everything that is finished, as it stands in the store: the page's rows and no other.
void add_newest(const Store& store, StoreQuestion& question) {
  const JobFilter& filter = question.filter;
  const JobId below = filter.below();
  const auto read = store.for_each_done(below.empty() ? std::nullopt : std::optional(below),
                                        [&](const JobId& id, ByteView bytes) {
                                          if (filter.ends_before(id)) return false;
                                          ++question.rows_looked;
                                          drop_payload(question.rows.emplace_back(must_decode(bytes)));
                                          return ++question.found < filter.limit;
                                        });
  if (!read) fail_stop(read.error());
}

// The next rows that the index leads to; false when there are more to look at.
bool add_matching(const Store& store, StoreQuestion& question) {
  if (!question.cursor) question.cursor = std::make_shared<DoneCursor>(store, question.filter);
  std::vector<JobId> ids;
  size_t rows_max = kLookRowsMax;
  const auto read = question.cursor->step(question.filter.limit - question.found, rows_max, ids);
  if (!read) fail_stop(read.error());
  question.rows_looked += kLookRowsMax - rows_max + ids.size();
  for (const JobId& id : ids) {
    auto row = find(store, id);
    if (!row || !question.filter.matches(row->core)) continue;  // redriven meanwhile
    drop_payload(*row);
    question.rows.push_back(std::move(*row));
    ++question.found;
  }
  return question.found == question.filter.limit || question.cursor->finished();
}

// The next dead letters by number; false when there are more to look at.
bool add_by_number(const Store& store, StoreQuestion& question) {
  size_t rows_max = kLookRowsMax;
  JobNo last = *question.filter.newer_than;
  bool all = true;
  const auto read = store.for_each_dead_letter_after(last, [&](JobNo number, const JobId& id) {
    if (rows_max == 0) return all = false;
    --rows_max;
    last = number;
    auto row = find(store, id);
    if (!row || !question.filter.matches(row->core)) return true;
    drop_payload(*row);
    question.rows.push_back(std::move(*row));
    return ++question.found < question.filter.limit;
  });
  if (!read) fail_stop(read.error());
  question.filter.newer_than = last;
  question.rows_looked += kLookRowsMax - rows_max;
  return all;
}

// The next rows of figures; false when there are more to look at.
bool add_figures(const Store& store, StoreQuestion& question) {
  MetricsLook& look = *question.metrics;
  size_t rows_max = kLookRowsMax;
  bool all = true;
  const auto read = store.for_each_metrics(look.next, [&](const MetricsKey& key, ByteView bytes) {
    if (look.sum.is_behind(key)) return false;
    look.next = key;
    if (rows_max == 0) return all = false;
    --rows_max;
    if (!look.sum.wants(key)) return true;
    const auto row = decode_metrics_row(bytes);
    if (!row) fail_stop({Error::kSystemError, "a row of figures cannot be read: the store is damaged", true});
    look.sum.add(key, *row);
    return true;
  });
  if (!read) fail_stop(read.error());
  question.rows_looked += kLookRowsMax - rows_max;
  return all;
}

bool add_finished(const Store& store, StoreQuestion& question) {
  const JobFilter& filter = question.filter;
  if (filter.nothing) return true;
  if (filter.states != 0 || filter.queue || filter.type || filter.owner_uid)
    return add_matching(store, question);
  add_newest(store, question);
  return true;
}

// Of those that the store does not have, or an earlier life of, memory knew.
void read_again(const Store& store, StoreQuestion& question) {
  std::erase_if(question.rows, [&](const JobRow& row) {
    const auto now = find(store, row.core.id);
    return now && now->core.no >= row.core.no && !still_listed(question, row, now->core);
  });
}

}  // namespace

bool still_listed(const StoreQuestion& question, const JobRow& row, const JobCore& now) {
  if (question.kind == QueryKind::kDlq) return is_dead_letter(now) && now.no == row.core.no;
  return question.filter.matches(now);
}

void merge_rows(std::vector<JobRow>& rows, uint32_t limit) {
  std::ranges::stable_sort(rows, [](const JobRow& a, const JobRow& b) { return a.core.id > b.core.id; });
  const auto repeated =
      std::ranges::unique(rows, [](const JobRow& a, const JobRow& b) { return a.core.id == b.core.id; });
  rows.erase(repeated.begin(), repeated.end());
  if (rows.size() > limit) rows.resize(limit);
}

void merge_rows_by_number(std::vector<JobRow>& rows, uint32_t limit) {
  std::ranges::stable_sort(rows, {}, [](const JobRow& row) { return row.core.no; });
  const auto repeated = std::ranges::unique(rows, {}, [](const JobRow& row) { return row.core.no; });
  rows.erase(repeated.begin(), repeated.end());
  if (rows.size() > limit) rows.resize(limit);
}

StoreReader::StoreReader(const Store& store, std::function<void()> news)
    : store_(store), news_(std::move(news)), thread_([this] { run(); }) {}

StoreReader::~StoreReader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StoreReader::ask(StoreQuestion question) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(question));
  }
  changed_.notify_one();
}

void StoreReader::forget(SessionNo session) {
  const std::lock_guard lock(mutex_);
  const auto of_session = [session](const StoreQuestion& question) {
    return question.asker.session == session;
  };
  std::erase_if(asked_, of_session);
  std::erase_if(answered_, of_session);
  asker_gone_ |= asker_ == session;
}

std::vector<StoreQuestion> StoreReader::take_answered() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answered_, {});
}

void StoreReader::run() {
  for (;;) {
    StoreQuestion question;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !asked_.empty() || stopping_; });
      if (stopping_) return;
      question = std::move(asked_.front());
      asked_.pop_front();
      asker_ = question.asker.session;
      asker_gone_ = false;
    }
    const bool answered = answer(question);
    if (answered) question.cursor.reset();
    {
      const std::lock_guard lock(mutex_);
      if (asker_gone_) continue;
      if (!answered) {
        asked_.push_back(std::move(question));
        continue;
      }
      answered_.push_back(std::move(question));
    }
    news_();
  }
}

bool StoreReader::answer(StoreQuestion& question) const {
  if (question.read_again) {
    read_again(store_, question);
    return true;
  }
  add_records(store_, question);
  switch (question.kind) {
    case QueryKind::kJob:
    case QueryKind::kDlqJob:
    case QueryKind::kExplain:
      if (!question.rows.empty()) return true;
      if (auto row = find(store_, question.id)) question.rows.push_back(std::move(*row));
      return true;
    case QueryKind::kDlq:
      question.filter.keep_dead_letters();
      if (question.filter.newer_than) {
        if (!question.filter.nothing && !add_by_number(store_, question)) return false;
        merge_rows_by_number(question.rows, question.filter.limit);
        return true;
      }
      [[fallthrough]];
    case QueryKind::kJobs:
      if (!add_finished(store_, question)) return false;
      merge_rows(question.rows, question.filter.limit);
      return true;
    case QueryKind::kMetrics:
      return add_figures(store_, question);
    case QueryKind::kCopy:
      question.copy = store_.database().copy_beside();
      return true;
    default:
      return true;
  }
}

}  // namespace pqd
