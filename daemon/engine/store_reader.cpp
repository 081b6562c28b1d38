#include "daemon/engine/store_reader.h"

#include <algorithm>

#include "daemon/engine/fail_stop.h"

namespace pqd {
namespace {

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

bool is_dead_letter(const JobCore& job) {
  return job.state == JobState::kFailed || job.state == JobState::kTimeout;
}

void add_done(const Store& store, const JobFilter& filter, std::vector<JobRow>& rows) {
  const std::optional<JobId> older_than =
      filter.older_than.empty() ? std::nullopt : std::optional(filter.older_than);
  size_t found = 0;
  const auto read = store.for_each_done(older_than, [&](const JobId&, ByteView bytes) {
    JobRow row = must_decode(bytes);
    if (!filter.matches(row.core)) return true;
    rows.push_back(std::move(row));
    return ++found < filter.limit;
  });
  if (!read) fail_stop(read.error());
}

void add_dead_letters(const Store& store, const JobFilter& filter, std::vector<JobRow>& rows) {
  std::vector<JobId> ids;
  const auto read = store.for_each_dead_letter([&](JobNo, const JobId& id) {
    if (filter.older_than.empty() || id < filter.older_than) ids.push_back(id);
    return true;
  });
  if (!read) fail_stop(read.error());
  std::ranges::sort(ids, std::greater());
  size_t found = 0;
  for (const JobId& id : ids) {
    auto row = find(store, id);
    if (!row || !is_dead_letter(row->core) || !filter.matches(row->core)) continue;  // redriven meanwhile
    rows.push_back(std::move(*row));
    if (++found == filter.limit) return;
  }
}

}  // namespace

void merge_rows(std::vector<JobRow>& rows, uint32_t limit) {
  std::ranges::stable_sort(rows, [](const JobRow& a, const JobRow& b) { return a.core.id > b.core.id; });
  const auto repeated =
      std::ranges::unique(rows, [](const JobRow& a, const JobRow& b) { return a.core.id == b.core.id; });
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
    }
    answer(question);
    {
      const std::lock_guard lock(mutex_);
      answered_.push_back(std::move(question));
    }
    news_();
  }
}

void StoreReader::answer(StoreQuestion& question) const {
  switch (question.kind) {
    case QueryKind::kJob:
    case QueryKind::kDlqJob:
    case QueryKind::kExplain:
      if (auto row = find(store_, question.id)) question.rows.push_back(std::move(*row));
      return;
    case QueryKind::kJobs:
      add_done(store_, question.filter, question.rows);
      return merge_rows(question.rows, question.filter.limit);
    case QueryKind::kDlq:
      add_dead_letters(store_, question.filter, question.rows);
      return merge_rows(question.rows, question.filter.limit);
    default:
      return;
  }
}

}  // namespace pqd
