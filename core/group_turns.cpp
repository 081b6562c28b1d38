#include "core/group_turns.h"

#include <algorithm>

namespace pqd {

GroupTurns::GroupTurns(const JobTable& jobs, const std::vector<const ReadyLine*>& lines) : jobs_(jobs) {
  for (const ReadyLine* line : lines) cursors_.emplace_back(jobs, *line);
}

std::optional<GroupTurns::Turn> GroupTurns::next() {
  std::erase_if(cursors_, [](const ReadyLine::Cursor& cursor) { return cursor.slot() == kNoSlot; });
  const auto first = std::ranges::min_element(
      cursors_, {}, [this](const ReadyLine::Cursor& cursor) { return jobs_[cursor.slot()].ready_seq; });
  if (first == cursors_.end()) return std::nullopt;
  const Job& job = jobs_[first->slot()];
  Turn turn{job.ready_seq, job.batch(), 0};
  do {
    ++turn.jobs;
    first->advance();
  } while (turn.batch != 0 && first->slot() != kNoSlot && jobs_[first->slot()].batch() == turn.batch);
  return turn;
}

}  // namespace pqd
