// How the client judges what it sent, without a daemon: watermarks, receipts, and what moves in a reconnect.
#include "bindings/cpp/outcomes.h"

#include <gtest/gtest.h>

namespace pqd::test {
namespace {

constexpr uint8_t kLane = 1;
constexpr auto kControl = static_cast<uint8_t>(Lane::kControl);

class Outcomes : public testing::Test {
 protected:
  Outcomes() { lane().sent = 100; }
  ClientSession::LaneState& lane() { return session_.lanes[kLane]; }
  // Up to this record everything is decided and on the disk.
  void mark(uint64_t sequence) { lane().marks.fill(sequence); }
  Ticket ticket(uint64_t sequence, uint32_t generation = 1) {
    return {JobId::make(1, 2, kLane, sequence), sequence, generation, kLane, Durability::kFsync};
  }
  void receive(uint64_t sequence, Error code, uint8_t flags = 0, uint8_t lane = kLane) {
    Receipt receipt;
    receipt.sequence = sequence;
    receipt.lane = lane;
    receipt.code = static_cast<uint8_t>(code);
    receipt.flags = flags;
    receipt.retry_after_ms = 7;
    outcomes_.take(receipt, counters_);
  }
  bool undecided(const Ticket& about) { return !outcomes_.decide(about, session_); }
  Error decided(const Ticket& about) {
    const auto verdict = outcomes_.decide(about, session_);
    EXPECT_TRUE(verdict) << "not decided";
    return !verdict ? Error::kSystemError : *verdict ? Error::kOk : verdict->error().error;
  }

  ClientOutcomes outcomes_;
  ClientSession session_;
  ClientCounters counters_;
};

TEST_F(Outcomes, AreDecidedByTheWatermarkOfTheirDurability) {
  Ticket durable = ticket(5);
  Ticket in_memory = ticket(5);
  in_memory.durability = Durability::kMemory;
  lane().marks = {4, 5, 6};
  EXPECT_TRUE(undecided(durable));
  EXPECT_EQ(decided(in_memory), Error::kOk);
  mark(5);
  EXPECT_EQ(decided(durable), Error::kOk);
  EXPECT_TRUE(undecided(ticket(6)));
}

TEST_F(Outcomes, AreTheReceiptsWhereThereIsOne) {
  receive(2, Error::kQueueFull);
  mark(1);
  EXPECT_TRUE(undecided(ticket(2))) << "not before the watermark";
  mark(3);
  EXPECT_EQ(decided(ticket(1)), Error::kOk);
  EXPECT_EQ(decided(ticket(2)), Error::kQueueFull);
  EXPECT_EQ(outcomes_.decide(ticket(2), session_)->error().retry_after_ms, 7u);
  EXPECT_EQ(decided(ticket(3)), Error::kOk);
}

TEST_F(Outcomes, NameTheMostQueuesAndTypesForSubmitsAndNotForCommands) {
  const auto text_of_refused = [&](uint8_t lane) {
    session_.lanes[lane].sent = 1;
    session_.lanes[lane].marks.fill(1);
    receive(1, Error::kInvalidRequest, 0, lane);
    return outcomes_.decide({{}, 1, 1, lane, Durability::kFsync}, session_)->error().text;
  };
  EXPECT_NE(text_of_refused(kLane).find("4096 queues"), std::string::npos);
  EXPECT_EQ(text_of_refused(kControl), error_text(Error::kInvalidRequest));
}

TEST_F(Outcomes, OfSubmitsThatWaitForRoomComeLater) {
  receive(1, Error::kOk, kReceiptDeferred);
  receive(2, Error::kOk, kReceiptDeferred);
  mark(10);
  EXPECT_TRUE(undecided(ticket(1)));
  EXPECT_TRUE(outcomes_.any_deferred());
  receive(1, Error::kOk, kReceiptVerdict);
  receive(2, Error::kQueueFull, kReceiptVerdict);
  EXPECT_EQ(decided(ticket(1)), Error::kOk);
  EXPECT_EQ(decided(ticket(2)), Error::kQueueFull);
  EXPECT_FALSE(outcomes_.any_deferred());
}

TEST_F(Outcomes, OfSubmitsThatFoundNoRoomOverAReconnectSayWhenToTryAgain) {
  receive(5, Error::kOk, kReceiptDeferred);
  mark(5);
  outcomes_.advance({}, {}, true, counters_);
  ASSERT_TRUE(undecided(ticket(5)));
  outcomes_.orphan_not_found(outcomes_.orphans().front().first, counters_);
  EXPECT_EQ(decided(ticket(5)), Error::kQueueFull);
  EXPECT_NE(outcomes_.decide(ticket(5), session_)->error().retry_after_ms, 0u);
}

TEST_F(Outcomes, OfSubmitsThatWaitedForRoomInAnotherStoreNobodyKnows) {
  receive(5, Error::kOk, kReceiptDeferred);
  receive(6, Error::kOk, kReceiptDeferred);
  mark(6);
  outcomes_.advance({}, {}, false, counters_);
  outcomes_.advance({}, {}, true, counters_);
  for (const auto& [key, id] : outcomes_.orphans())
    key.sequence == 5 ? outcomes_.orphan_not_found(key, counters_) : outcomes_.orphan_found(key);
  EXPECT_EQ(decided(ticket(5)), Error::kUnknownOutcome);
  const std::string text = outcomes_.decide(ticket(5), session_)->error().text;
  EXPECT_NE(text.find("another store"), std::string::npos) << text;
  EXPECT_EQ(decided(ticket(6)), Error::kOk);
  EXPECT_FALSE(outcomes_.any_deferred());
  EXPECT_EQ(outcomes_.take_refusals().refused, 1u);
}

TEST_F(Outcomes, FollowTheirRecordsIntoTheNextConnections) {
  receive(3, Error::kQueueFull);
  mark(3);
  MovedRecords moved;
  moved[kLane] = {5, 6, 9};
  outcomes_.advance(moved, {}, true, counters_);
  session_ = ClientSession();
  lane().sent = 3;
  EXPECT_EQ(decided(ticket(3)), Error::kQueueFull) << "decided before";
  EXPECT_EQ(decided(ticket(4)), Error::kOk) << "decided before, it was not sent again";
  EXPECT_TRUE(undecided(ticket(9)));
  moved[kLane] = {2, 3};
  outcomes_.advance(moved, {}, true, counters_);
  lane().sent = 2;
  receive(2, Error::kNoSpace);
  EXPECT_TRUE(undecided(ticket(6)));
  mark(2);
  EXPECT_EQ(decided(ticket(5)), Error::kOk) << "had been number 1";
  EXPECT_EQ(decided(ticket(6)), Error::kOk);
  EXPECT_EQ(decided(ticket(9)), Error::kNoSpace);
}

TEST_F(Outcomes, TellADuplicateOfAnotherJobFromOneOfItself) {
  mark(10);
  Receipt receipt;
  receipt.lane = kLane;
  receipt.flags = kReceiptDuplicate;
  for (const uint64_t sequence : {4u, 5u}) {
    receipt.sequence = sequence;
    receipt.job_high = ticket(4).id.high;
    receipt.job_low = ticket(4).id.low;
    outcomes_.take(receipt, counters_);
  }
  const auto itself = outcomes_.decide(ticket(4), session_);
  const auto another = outcomes_.decide(ticket(5), session_);
  ASSERT_TRUE(itself && *itself && another && *another);
  EXPECT_FALSE((*itself)->duplicate) << "sent again, taken once";
  EXPECT_TRUE((*another)->duplicate);
  EXPECT_EQ((*another)->id, ticket(4).id);
}

TEST_F(Outcomes, ForgetTheOldestRefusalsAndSaySo) {
  lane().sent = ClientOutcomes::kVerdictsMax + 10;
  mark(lane().sent);
  for (uint64_t sequence = 2; sequence < ClientOutcomes::kVerdictsMax + 5; ++sequence)
    receive(sequence, Error::kQueueFull);
  EXPECT_EQ(decided(ticket(2)), Error::kUnknownOutcome);
  EXPECT_EQ(decided(ticket(1)), Error::kUnknownOutcome) << "who can tell by now";
  EXPECT_EQ(decided(ticket(ClientOutcomes::kVerdictsMax)), Error::kQueueFull);
  EXPECT_EQ(decided(ticket(lane().sent)), Error::kOk);
}

TEST_F(Outcomes, OfAVeryOldConnectionAreForgotten) {
  for (size_t i = 0; i <= ClientOutcomes::kGenerationsMax; ++i) outcomes_.advance({}, {}, true, counters_);
  EXPECT_EQ(decided(ticket(1)), Error::kUnknownOutcome);
}

TEST_F(Outcomes, CountRefusalsForTheNextFlush) {
  receive(1, Error::kNoSpace);
  receive(2, Error::kQueueFull);
  const FlushReport report = outcomes_.take_refusals();
  EXPECT_EQ(report.refused, 2u);
  EXPECT_EQ(report.first, Error::kNoSpace);
  EXPECT_EQ(outcomes_.take_refusals().refused, 0u);
  EXPECT_EQ(counters_.submits_refused, 2u);
}

TEST_F(Outcomes, CountRefusedSettlementsAndNoRefusedCommands) {
  const auto refuse = [&](uint64_t sequence) { receive(sequence, Error::kNotFound, 0, kControl); };
  for (const uint64_t command : {2u, 3u, 7u}) outcomes_.sent_command(command, 0);
  for (const uint64_t sequence : {1u, 2u, 3u, 4u}) refuse(sequence);
  EXPECT_EQ(counters_.settlements_refused, 2u) << "1 and 4";
  MovedRecords moved;
  moved[kControl] = {5, 7, 8};
  outcomes_.advance(moved, {}, true, counters_);
  outcomes_.sent_command(4, 0);
  for (const uint64_t sequence : {1u, 2u, 3u, 4u}) refuse(sequence);
  EXPECT_EQ(counters_.settlements_refused, 4u) << "5 and 8, as 1 and 3";
  EXPECT_EQ(outcomes_.take_refusals().refused, 4u);
}

}  // namespace
}  // namespace pqd::test
