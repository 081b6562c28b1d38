// What is on its way to one client, in the order in which it has to appear, and each thing not before the
// commit that it depends on is as durable as it asked for:
//   receipts     when their commit is done: written, and synced if it asked for that
//   watermarks   written, synced, head: when the commit is; never past a receipt that is not published
//   deliveries   at-least-once when written, at-most-once when synced; in the order of their numbers
//   answers      at once
//   events       to those who watch: when the commit of the change is done; what finds no room stays in its
//   watch
// What finds no room in Down waits here and blocks nobody else; a delivery whose lease ends meanwhile is left
// out. One thread.
#pragma once

#include <array>
#include <deque>

#include "core/commit.h"
#include "core/down_record.h"
#include "core/state.h"
#include "core/watch.h"
#include "daemon/engine/committer.h"
#include "shm/doorbell.h"
#include "shm/receipts.h"
#include "shm/ring.h"
#include "shm/segment.h"
#include "shm/watermarks.h"

namespace pqd {

class SessionOutbox {
 public:
  SessionOutbox() = default;
  SessionOutbox(DownSegment& down, const UpHeader& up, int engine_doorbell);

  // What the store says of the session when it is mapped: the watermarks stand there, and receipts that no
  // engine has published are sent after all.
  void begin_at(const SessionEntry& entry);
  // Up to where the lane was read: as the journal says, or as Down does where that is further, because what
  // came after was nothing for the journal.
  LanePosition read_to(const SessionEntry& entry, size_t lane) const;
  // The last record of the lane that the client was told is decided.
  uint64_t applied(size_t lane) const;

  void add(uint64_t commit, const ReceiptEffect& effect) { receipts_.push_back({commit, effect}); }
  void add(uint64_t commit, const LaneEffect& effect) { marks_.push_back({commit, effect}); }
  // The record's block is the outbox's to give back.
  void add(uint64_t commit, const DeliveryEffect& effect) {
    deliveries_.push_back({commit, effect, DownKind::kDelivery});
    record_bytes_ += effect.record.blob.bytes;
  }
  void add(uint64_t commit, const CancelNotice& notice);
  // Behind the deliveries that a new engine, or a session that was resumed, repeats.
  void add_batch_end(uint64_t commit) { deliveries_.push_back({commit, {}, DownKind::kBatchEnd}); }
  void add_answer(Bytes record);

  // Publishes receipts and watermarks that may and can be. To be called for all clients before any is given
  // jobs: what somebody has in hand must not be read again by the next engine, see daemon/engine/README.md.
  void tell(const Progress& progress);
  // Publishes everything that may and can be; true when something was, since the last call. `state`: for the
  // records of the deliveries, and their leases. `skew_ns`: from the broker's clock to the system's.
  bool flush(const Progress& progress, State& state, int64_t skew_ns = 0);
  // Wakes the client if it sleeps.
  void ring() { bell_.ring_if_waiting(); }
  // The session ends: gives back the blocks of what will not be sent.
  void drop(State& state);

  // Nothing waits, and whoever was told something has been rung for.
  bool empty() const {
    return !told_news_ && receipts_.empty() && marks_.empty() && deliveries_.empty() && answers_.empty() &&
           watches_.idle();
  }
  SessionWatches& watches() { return watches_; }
  // Something has found no room; the client rings when it has made some.
  bool blocked() const { return blocked_; }
  // The client's read cursors cannot be.
  bool peer_broken() const;
  size_t receipts_waiting() const { return receipts_.size(); }
  uint64_t receipts_published() const { return receipt_ring_.published(); }
  size_t answer_bytes_waiting() const { return answer_bytes_; }
  // And notices.
  size_t deliveries_waiting() const { return deliveries_.size(); }
  // The number of the last delivery published.
  uint64_t deliveries_published() const;

 private:
  struct WaitingReceipt {
    uint64_t commit = 0;
    ReceiptEffect effect;
  };
  struct WaitingMark {
    uint64_t commit = 0;
    LaneEffect effect;
  };
  struct WaitingDelivery {
    uint64_t commit = 0;
    DeliveryEffect effect;
    DownKind kind = DownKind::kDelivery;
  };

  static constexpr size_t kLookAtCount = 64;

  bool flush_receipts(const Progress& progress);
  bool flush_marks(const Progress& progress);
  bool flush_deliveries(const Progress& progress, State& state, int64_t skew_ns);
  // Nothing is left of it but the end of its batch, if it was the last one; true when nothing at all is.
  bool withdraw_if_over(WaitingDelivery& waiting, State& state);
  void withdraw_all_over(State& state);
  void give_back(const WaitingDelivery& waiting, State& state);
  bool flush_answers();
  bool flush_events(const Progress& progress, const State& state);
  // Into the answers ring, not published yet; false when there is no room.
  bool write_answer(ByteView record);
  void set_blocked(bool blocked);
  DownHeader& down() { return down_->header(); }

  DownSegment* down_ = nullptr;
  ReceiptWriter receipt_ring_;
  RingWriter delivery_ring_;
  RingWriter answer_ring_;
  ClientBell bell_;

  std::deque<WaitingReceipt> receipts_;
  std::deque<WaitingMark> marks_;
  std::deque<WaitingDelivery> deliveries_;
  size_t record_bytes_ = 0;        // of deliveries_
  bool deliveries_stuck_ = false;  // they have found no room, and have not all gone since
  // With so many, or so many bytes, all are looked through for those whose lease is over.
  size_t look_at_count_ = kLookAtCount;
  size_t look_at_bytes_ = 0;
  std::deque<Bytes> answers_;
  size_t answer_bytes_ = 0;
  SessionWatches watches_;
  size_t marks_written_ = 0;  // of marks_, from the front: told as written already
  std::array<Watermarks, kLaneCount> told_{};
  bool blocked_ = false;        // as the client sees it
  bool found_no_room_ = false;  // in the flush under way
  bool told_news_ = false;      // before it
};

}  // namespace pqd
