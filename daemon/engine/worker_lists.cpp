// Lists: what memory knows and the store does not know yet, put in and taken out.
#include <algorithm>

#include "core/queries.h"
#include "daemon/engine/worker.h"

namespace pqd {

// By number, memory has those that died since the last checkpoint; newest first dead letters go like any
// list.
void Worker::ask_for_list(StoreQuestion question) {
  question.rows.clear();
  question.found = 0;
  question.retired = retired_;
  question.read_again = false;
  if (!question.filter.newer_than) return lists_.begin(std::move(question));
  std::vector<std::pair<JobNo, Slot>> found;
  parts_.state.for_each_finished([&](Slot slot) {
    const JobCore core = parts_.state.jobs.core(slot);
    if (question.filter.matches(core)) found.emplace_back(core.no, slot);
  });
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  if (found.size() > question.filter.limit) found.resize(question.filter.limit);
  for (const auto& [number, slot] : found) question.rows.push_back(list_row_of(parts_.state, slot));
  reader_.ask(std::move(question));
}

// Between two checkpoints the store still has jobs as they were before they were redriven or purged. Memory
// knows better, until a checkpoint is done; when one was done while the store was read, what memory does not
// contradict any more may be from before it, and is read again.
bool Worker::complete_list(StoreQuestion& question) {
  std::vector<JobRow>& rows = question.rows;
  JobFilter& filter = question.filter;
  if (!question.read_again)
    question.full_to = rows.size() == filter.limit ? std::optional(rows.back().core) : std::nullopt;
  std::erase_if(rows, [&](const JobRow& row) {
    const Slot slot = parts_.state.jobs.find(row.core.id);
    return slot != kNoSlot && !still_listed(question, row, parts_.state.jobs.core(slot));
  });
  if (!question.read_again && question.retired != retired_) {
    question.read_again = true;
    reader_.ask(std::move(question));
    return false;
  }
  // The page goes on behind those that were taken out, so that one that is not full is the last.
  filter.limit -= static_cast<uint32_t>(rows.size());
  std::move(rows.begin(), rows.end(), std::back_inserter(question.kept));
  if (!question.full_to || filter.limit == 0) {
    rows = std::move(question.kept);
    return true;
  }
  if (filter.newer_than) {
    filter.newer_than = question.full_to->no;
  } else {
    filter.older_than = question.full_to->id;
  }
  ask_for_list(std::move(question));
  return false;
}

}  // namespace pqd
