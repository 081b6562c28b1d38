// What one client has asked and has no answer to yet: queries, and the beginnings and ends of watches, in the
// order in which they came. Those that wait cost no more than their records; answers are made of few at a
// time, so that a client which asks faster than it reads, or than it can be answered, fills its own control
// lane and nobody's memory. One thread.
#pragma once

#include <algorithm>
#include <deque>

#include "core/control_record.h"

namespace pqd {

class SessionQuestions {
 public:
  // More than anybody asks at a time who waits for answers: settlements stand in the same lane, behind them.
  static constexpr size_t kOpenMax = 64;
  // With the lists and the store's reader, so that no session has more turns there than any other can have.
  static constexpr size_t kUnderWayMax = 4;

  // Nothing more is taken from the control lane until some are answered.
  bool full() const { return waiting_.size() + under_way_ >= kOpenMax; }
  bool may_begin() const { return !waiting_.empty() && under_way_ < kUnderWayMax; }
  // REQUIRES: !full().
  void add(ByteView record) {
    const ByteView kept = record.first(std::min(record.size(), kRecordBytesMax));
    waiting_.emplace_back(kept.begin(), kept.end());
  }
  // The first one is under way from now on. REQUIRES: may_begin().
  Bytes begin() {
    Bytes record = std::move(waiting_.front());
    waiting_.pop_front();
    ++under_way_;
    return record;
  }
  // One that was under way has its whole answer, or needs none.
  void end() { --under_way_; }
  // Nobody waits for the answers any more.
  void forget() { waiting_.clear(); }

  size_t waiting() const { return waiting_.size(); }

 private:
  // What is longer is no question, and does not become one by losing its end.
  static constexpr size_t kRecordBytesMax = 1'024;
  static_assert(kRecordBytesMax > sizeof(QueryHead) + 2 * UINT8_MAX);

  std::deque<Bytes> waiting_;
  size_t under_way_ = 0;
};

}  // namespace pqd
