// The hot pieces of pqd, each by itself over fixed inputs: their instructions are counted (ratchet.cpp), and
// the time that they take is measured (micro.cpp). One thread, no daemon, no disk.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace pqd::ratchet {

// Counts what happens between begin() and end(), and nothing else.
class Meter {
 public:
  virtual ~Meter() = default;
  virtual void begin() = 0;
  // So many of the piece's things were done since begin().
  virtual void end(uint64_t things) = 0;
};

class Piece {
 public:
  virtual ~Piece() = default;
  // The same work each time, and about 1024 things of it. What has to be there before, or goes afterwards,
  // stands outside of the meter.
  virtual void round(Meter& meter) = 0;
};

struct PieceKind {
  std::string_view name;   // as in counts.txt
  std::string_view thing;  // of what there are so many: "job"
  std::string_view what;
  std::unique_ptr<Piece> (*make)();
};

// In the order of a job's life.
std::span<const PieceKind> all_pieces();

std::unique_ptr<Piece> make_client_encode();
std::unique_ptr<Piece> make_lane_publish();
std::unique_ptr<Piece> make_lane_drain();
std::unique_ptr<Piece> make_record_check();
std::unique_ptr<Piece> make_broker_submit();
std::unique_ptr<Piece> make_key_new();
std::unique_ptr<Piece> make_key_known();
std::unique_ptr<Piece> make_broker_settle();
std::unique_ptr<Piece> make_life_fifo();
std::unique_ptr<Piece> make_life_priority();
std::unique_ptr<Piece> make_commit_encode();
std::unique_ptr<Piece> make_journal_replay();
std::unique_ptr<Piece> make_row_fold();
std::unique_ptr<Piece> make_row_births();
std::unique_ptr<Piece> make_row_restore();

}  // namespace pqd::ratchet
