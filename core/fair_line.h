// The ready jobs of one type and rank in a queue that is fair: a line for each group that has any, the lines
// in the order of the groups' turns, and in the order of who waits longest. Belongs to one thread.
#pragma once

#include <set>
#include <unordered_map>

#include "core/fair_groups.h"
#include "core/ready_line.h"

namespace pqd {

class FairLine {
 public:
  // As ReadyLine, back or returned, among the jobs of one group, whose turn is at `time`. True: it is the
  // group's first here.
  bool push(JobTable& jobs, Slot slot, bool returned, GroupNo group, uint64_t time);
  // True: the group has no more jobs here.
  bool remove(JobTable& jobs, Slot slot, GroupNo group);
  // The group's turn is at another time now. REQUIRES: it has jobs here.
  void move(GroupNo group, uint64_t time);

  bool empty() const { return rows_.empty(); }
  size_t size() const { return size_; }
  // Of the group whose turn is next, kNoSlot when it is empty. Among groups of one time the job that became
  // ready first.
  Slot front() const { return turns_.empty() ? kNoSlot : std::get<Slot>(*turns_.begin()); }
  Slot oldest() const;
  // Of those that did not come back, which is who has waited longest of them.
  Slot oldest_listed() const { return listed_.empty() ? kNoSlot : listed_.begin()->second; }
  // nullptr: it has no jobs here.
  const ReadyLine* line_of(GroupNo group) const {
    const auto found = rows_.find(group);
    return found == rows_.end() ? nullptr : &found->second.line;
  }
  template <class F>
  void for_each(const JobTable& jobs, F&& f) const {
    for (const auto& [group, row] : rows_) row.line.for_each(jobs, f);
  }

  const char* find_fault(const JobTable& jobs, const FairGroups& groups, std::vector<Slot>& seen) const;

 private:
  struct Row {
    ReadyLine line;
    Slot front = kNoSlot;  // under which it stands in turns_; kNoSlot = it does not
    uint64_t front_seq = 0;
    uint64_t time = 0;
    Slot head = kNoSlot;  // of its list, and the same for listed_
    uint64_t head_seq = 0;
  };
  // The row's front and head may be other ones.
  void place(const JobTable& jobs, Row& row);
  void place_front(const JobTable& jobs, Row& row);
  void place_head(const JobTable& jobs, Row& row);

  std::unordered_map<GroupNo, Row> rows_;
  size_t size_ = 0;
  std::set<std::tuple<uint64_t, uint64_t, Slot>> turns_;  // time, ready_seq
  // By ready_seq: of each row the head of its list, and all that came back.
  std::set<std::pair<uint64_t, Slot>> listed_, returned_;
};

}  // namespace pqd
