// Dead letters that are looked into and dropped.
#include "core/event_codec.h"
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct DeadLetters : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();
  SessionNo admin = d.open(kAdminUid);

  JobId dead_letter(const JobSpec& spec = {}) {
    const JobId id = d.submit(producer, spec);
    if (d.state.queue(0).consumers.size() == 0) d.subscribe(consumer, 1, {"work"});
    d.fail(consumer, d.take_one(consumer), "broke", kFlagDoNotRetry);
    EXPECT_EQ(d.core(id).state, JobState::kFailed);
    return id;
  }
  Error review(const JobId& id, std::string_view resolution, uint16_t flags = 0) {
    return d.command(admin, flagged(write_review(id, resolution), flags));
  }
  Error purge(const JobId& id, uint16_t flags = 0) {
    return d.command(admin, flagged(write_purge(id), flags));
  }
  Error redrive(const JobId& id) { return d.command(admin, write_redrive(id)); }
  static Bytes flagged(Bytes record, uint16_t flags) {
    std::memcpy(record.data() + offsetof(RecordHead, flags), &flags, sizeof flags);
    return record;
  }
  uint64_t dead_letters() { return d.state.tables.queue(0).dead_letters; }
};

TEST_F(DeadLetters, ReviewNamesItsReviewerTimeAndResolution) {
  for (const bool stored : {false, true}) {
    const JobId id = dead_letter();
    if (stored) d.checkpoint();
    d.now_ns += kSecondNs;
    EXPECT_EQ(review(id, "bad address, customer told"), Error::kOk);
    const JobRow row = d.row(id);
    EXPECT_TRUE(row.core.reviewed);
    ASSERT_EQ(row.reviews.size(), 1u);
    EXPECT_EQ(row.reviews[0], (ReviewInfo{d.now_ns, admin, kAdminUid, "bad address, customer told"}));
    EXPECT_EQ(row.history.size(), 1u) << "what happened before is kept";
    EXPECT_FALSE(row.payload_dropped) << "it can still be redriven";
  }
  EXPECT_EQ(dead_letters(), 2u);
}

TEST_F(DeadLetters, ReviewSurvivesCheckpoints) {
  const JobId id = dead_letter();
  review(id, "seen");
  d.checkpoint();
  EXPECT_EQ(d.row(id).reviews.at(0).resolution, "seen");
  review(id, "seen again");
  d.checkpoint();
  EXPECT_EQ(d.row(id).reviews.size(), 2u);
  EXPECT_EQ(d.state.jobs.size(), 0u) << "memory forgets it again";
}

TEST_F(DeadLetters, AmendedJobIsForgottenWithItsLatestChangeOnly) {
  const JobId id = dead_letter();
  const uint64_t died = d.commits.size();
  review(id, "seen");
  d.state.retire(died);
  EXPECT_TRUE(d.core(id).reviewed) << "the store does not know of the review yet";
  d.checkpoint();
}

TEST_F(DeadLetters, RedriveEndsTheReviewAndKeepsItInTheHistory) {
  const JobId id = dead_letter();
  review(id, "try again");
  EXPECT_EQ(redrive(id), Error::kOk);
  EXPECT_FALSE(d.core(id).reviewed);
  EXPECT_EQ(d.row(id).reviews.at(0).resolution, "try again");
  d.fail(consumer, d.take_one(consumer), "again", kFlagDoNotRetry);
  EXPECT_FALSE(d.core(id).reviewed);
  EXPECT_EQ(d.row(id).reviews.size(), 1u);
}

TEST_F(DeadLetters, ReviewIsForDeadLettersAndAdministratorsOnly) {
  const JobId pending = d.submit(producer, {.type = "later"});
  EXPECT_EQ(review(pending, "no"), Error::kInvalidStatus);
  EXPECT_EQ(review(d.next_id(producer), "no"), Error::kNotFound);
  const JobId id = dead_letter();
  EXPECT_EQ(d.command(producer, write_review(id, "mine")), Error::kUnauthorized);
  EXPECT_EQ(review(id, ""), Error::kInvalidRequest);
  EXPECT_FALSE(d.core(id).reviewed);
}

TEST_F(DeadLetters, ReviewThatIsSentAgainCountsOnce) {
  const JobId id = dead_letter();
  review(id, "seen");
  EXPECT_EQ(review(id, "seen", kFlagResubmitted), Error::kOk);
  EXPECT_EQ(d.row(id).reviews.size(), 1u);
}

TEST_F(DeadLetters, PurgeDropsThePayloadAndLeavesAFinishedJob) {
  for (const bool stored : {false, true}) {
    const JobId id = dead_letter({.payload = std::string(5'000, 'p'), .metadata = "{}"});
    if (stored) d.checkpoint();
    EXPECT_EQ(dead_letters(), 1u);
    EXPECT_EQ(purge(id), Error::kOk);
    EXPECT_EQ(dead_letters(), 0u);
    const auto info = job_info(d.row(id), "default", "work", true);
    EXPECT_EQ(info.core.state, JobState::kFailed);
    EXPECT_FALSE(info.dlq);
    EXPECT_FALSE(info.has_payload);
    EXPECT_EQ(info.core.payload_bytes, 5'000u) << "its size stays known";
    EXPECT_EQ(info.metadata, "{}");
    EXPECT_EQ(info.history.size(), 1u);
    EXPECT_LT(d.row(id).record.size(), 500u);
    EXPECT_EQ(redrive(id), Error::kInvalidStatus);
    EXPECT_EQ(review(id, "late"), Error::kInvalidStatus);
  }
}

TEST_F(DeadLetters, PurgeIsForDeadLettersAndAdministratorsOnly) {
  const JobId id = dead_letter();
  EXPECT_EQ(d.command(producer, write_purge(id)), Error::kUnauthorized);
  EXPECT_EQ(purge(d.next_id(producer)), Error::kNotFound);
  EXPECT_EQ(purge(id), Error::kOk);
  EXPECT_EQ(purge(id), Error::kInvalidStatus);
  EXPECT_EQ(purge(id, kFlagResubmitted), Error::kOk) << "it counted the first time";
  const JobId pending = d.submit(producer, {.type = "later"});
  EXPECT_EQ(purge(pending), Error::kInvalidStatus);
}

TEST_F(DeadLetters, TimedOutJobIsADeadLetterToo) {
  const JobId id = d.submit(producer, {.queue_timeout_ms = 10});
  d.advance_ms(10);
  EXPECT_EQ(review(id, "nobody worked"), Error::kOk);
  EXPECT_EQ(purge(id), Error::kOk);
  EXPECT_EQ(d.core(id).state, JobState::kTimeout);
  EXPECT_EQ(d.row(id).reviews.size(), 1u);
  EXPECT_EQ(dead_letters(), 0u);
}

// The events of one kind in all that was committed so far, in their order.
template <class Wanted>
std::vector<Wanted> audit_trail(const Driver& d) {
  std::vector<Wanted> found;
  for (const Commit& commit : d.commits) {
    const auto view = read_entry(*commit.entry);
    ByteReader reader(view->events);
    while (reader.remaining() > 0) {
      const bool decoded = decode_event(reader, [&]<class Event>(const Event& event) {
        if constexpr (std::is_same_v<Event, Wanted>) found.push_back(event);
      });
      EXPECT_TRUE(decoded);
      if (!decoded) return found;
    }
  }
  return found;
}

TEST_F(DeadLetters, RefusalIsInTheAuditTrailWithItsJob) {
  const JobId id = d.submit(producer);
  review(id, "no");
  purge(id);
  d.command(producer, write_redrive(id));
  const auto refusals = audit_trail<Refused>(d);
  ASSERT_EQ(refusals.size(), 3u);
  constexpr RecordKind kKinds[] = {RecordKind::kReview, RecordKind::kPurge, RecordKind::kRedrive};
  for (size_t i = 0; i < refusals.size(); ++i) {
    EXPECT_EQ(refusals[i].id, id) << i;
    EXPECT_EQ(refusals[i].record_kind, static_cast<uint8_t>(kKinds[i])) << i;
    EXPECT_EQ(refusals[i].session, i < 2 ? admin : producer) << i;
    EXPECT_EQ(refusals[i].code, static_cast<uint8_t>(i < 2 ? Error::kInvalidStatus : Error::kUnauthorized))
        << i;
  }
}

TEST_F(DeadLetters, ReviewRedriveAndPurgeAreInTheAuditTrailWithWhoSaidSo) {
  const JobId id = dead_letter();
  const JobNo first_life = d.core(id).no;
  const SessionNo root = d.open(0);
  review(id, "try again");
  EXPECT_EQ(d.command(root, write_redrive(id)), Error::kOk);
  const JobNo second_life = d.core(id).no;
  d.fail(consumer, d.take_one(consumer), "again", kFlagDoNotRetry);
  purge(id);
  const auto reviews = audit_trail<Reviewed>(d);
  ASSERT_EQ(reviews.size(), 1u);
  EXPECT_EQ(std::pair(reviews[0].job, reviews[0].by), std::pair(first_life, admin));
  const auto redrives = audit_trail<Redriven>(d);
  ASSERT_EQ(redrives.size(), 1u);
  EXPECT_EQ(std::pair(redrives[0].job, redrives[0].by), std::pair(second_life, root));
  const auto purges = audit_trail<Purged>(d);
  ASSERT_EQ(purges.size(), 1u);
  EXPECT_EQ(std::pair(purges[0].job, purges[0].by), std::pair(second_life, admin));
}

}  // namespace
}  // namespace pqd::test
