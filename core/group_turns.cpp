#include "core/group_turns.h"

#include <algorithm>

namespace pqd {

GroupTurns::GroupTurns(const JobTable& jobs, const std::vector<const ReadyLine*>& lines) : jobs_(jobs) {
  for (const ReadyLine* line : lines) cursors_.emplace_back(jobs, *line);
}

std::optional<GroupTurns::Turn> GroupTurns::next() {
  std::erase_if(cursors_, [](const ReadyLine::Cursor& cursor) { return cursor.slot() == kNoSlot; });
  const auto first = std::ranges::min_element(
      cursors_, {}, [this](const ReadyLine::Cursor& cursor) { return jobs_.ready_seq(cursor.slot()); });
  if (first == cursors_.end()) return std::nullopt;
  Turn turn{jobs_.ready_seq(first->slot()), jobs_.batch(first->slot()), 0};
  do {
    ++turn.jobs;
    first->advance();
  } while (turn.batch != 0 && first->slot() != kNoSlot && jobs_.batch(first->slot()) == turn.batch);
  return turn;
}

}  // namespace pqd
