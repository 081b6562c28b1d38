#include <array>

#include "tests/ratchet/piece.h"

namespace pqd::ratchet {
namespace {

constexpr std::array kPieces = std::to_array<PieceKind>({
    {"client-encode", "job", "what a client does to a job before it is in the lane", make_client_encode},
    {"lane-publish", "record", "room in a lane, the bytes, one publish", make_lane_publish},
    {"lane-drain", "record", "out of a lane into a commit's block, as the engine does", make_lane_drain},
    {"record-check", "record", "a submit record split and judged", make_record_check},
    {"broker-submit", "job", "a submit that nobody waits for, with its share of the commit",
     make_broker_submit},
    {"key-new", "job", "the same, under an idempotency key that is new", make_key_new},
    {"key-known", "job", "the same, under a key that is known: told the first job", make_key_known},
    {"broker-settle", "job", "a completion, with its share of the commit", make_broker_settle},
    {"life-fifo", "job", "submitted, delivered, completed, forgotten", make_life_fifo},
    {"life-priority", "job", "the same, of twenty priorities", make_life_priority},
    {"commit-encode", "event", "events of a life into a commit, and its hash", make_commit_encode},
    {"journal-replay", "job", "whole lives out of the journal into memory, as recovery does",
     make_journal_replay},
    {"row-fold", "job", "whole lives out of the journal into rows, as a checkpoint does", make_row_fold},
    {"row-births", "job", "jobs that go on living out of the journal into packed rows, as a checkpoint does",
     make_row_births},
    {"row-restore", "job", "rows of live jobs into memory, as recovery does", make_row_restore},
});

}  // namespace

std::span<const PieceKind> all_pieces() { return kPieces; }

}  // namespace pqd::ratchet
