// Lists of dead letters: what memory knows and the store does not know yet, put in and taken out.
#include <algorithm>

#include "core/queries.h"
#include "daemon/engine/worker.h"

namespace pqd {

// By number, memory has those that died since the last checkpoint; newest first goes like any list.
void Worker::ask_for_dead_letters(StoreQuestion question) {
  question.rows.clear();
  question.found = 0;
  if (!question.filter.newer_than) return lists_.begin(std::move(question));
  std::vector<std::pair<JobNo, Slot>> found;
  parts_.state.for_each_finished([&](Slot slot) {
    const JobCore& core = parts_.state.jobs[slot].core;
    if (question.filter.matches(core)) found.emplace_back(core.no, slot);
  });
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  if (found.size() > question.filter.limit) found.resize(question.filter.limit);
  for (const auto& [number, slot] : found) question.rows.push_back(list_row_of(parts_.state, slot));
  reader_.ask(std::move(question));
}

// Between two checkpoints the store still has dead letters that were redriven or purged. The page goes on
// behind them, so that one that is not full is the last.
bool Worker::complete_dead_letters(StoreQuestion& question) {
  std::vector<JobRow>& rows = question.rows;
  JobFilter& filter = question.filter;
  const bool full = rows.size() == filter.limit;
  const JobCore last = full ? rows.back().core : JobCore{};
  std::erase_if(rows, [this](const JobRow& row) {
    const Slot slot = parts_.state.jobs.find(row.core.id);
    if (slot == kNoSlot) return false;
    const JobCore& now = parts_.state.jobs[slot].core;
    return !is_dead_letter(now) || now.no != row.core.no;
  });
  filter.limit -= static_cast<uint32_t>(rows.size());
  std::move(rows.begin(), rows.end(), std::back_inserter(question.kept));
  if (!full || filter.limit == 0) {
    rows = std::move(question.kept);
    return true;
  }
  if (filter.newer_than) {
    filter.newer_than = last.no;
  } else {
    filter.older_than = last.id;
  }
  ask_for_dead_letters(std::move(question));
  return false;
}

}  // namespace pqd
