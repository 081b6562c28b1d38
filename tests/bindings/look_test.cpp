// Asking and commanding: jobs, queues, dead letters, health; cancel, redrive, queue control.
#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

const JobId kNoSuchJob = JobId::make(1'700'000'000'000, 12'345, 1, 1);

class Looking : public WithClient {
 protected:
  // A job that a consumer has failed for good.
  JobId dead_letter(std::string_view type) {
    const JobId id = submit({.type = type, .payload = as_bytes("dead")});
    const auto number = client().subscribe({.types = {type}});
    EXPECT_TRUE(number);
    const DeliveredJob job = take(client());
    EXPECT_EQ(job.id(), id);
    EXPECT_EQ(decided(client(), client().fail(job, "no good", false)), Error::kOk);
    EXPECT_TRUE(client().unsubscribe(*number));
    return id;
  }
  std::vector<JobId> ids(const ListFilter& filter) {
    const auto listed = client().list(filter);
    EXPECT_EQ(error_of(listed), Error::kOk) << text_of(listed);
    std::vector<JobId> ids;
    for (const JobInfo& info : listed.value_or(std::vector<JobInfo>())) ids.push_back(info.core.id);
    return ids;
  }
  QueueInfo queue(std::string_view name) {
    const auto found = client().queues(name);
    EXPECT_EQ(error_of(found), Error::kOk) << text_of(found);
    return found && found->size() == 1 ? found->front() : QueueInfo();
  }
};

TEST_F(Looking, FindsAJobOrSaysThatThereIsNone) {
  const JobId id = submit({.type = "t", .payload = as_bytes("abc")});
  const JobInfo info = look(id);
  EXPECT_EQ(info.core.id, id);
  EXPECT_EQ(info.queue, "default");
  EXPECT_EQ(info.core.state, JobState::kPending);
  EXPECT_EQ(info.core.payload_bytes, 3u);
  EXPECT_FALSE(info.has_payload);
  EXPECT_EQ(error_of(client().get(kNoSuchJob)), Error::kNotFound);
  EXPECT_EQ(error_of(client().get({})), Error::kNotFound);
  EXPECT_EQ(error_of(client().dlq_get(id)), Error::kNotFound) << "it is not dead";
}

TEST_F(Looking, ListsNewestFirstByEveryFilter) {
  const JobId a = submit({.type = "a"});
  const JobId b = submit({.type = "b", .queue = "other"});
  const JobId c = submit({.type = "a", .queue = "other"});
  ASSERT_TRUE(client().cancel(b));
  EXPECT_EQ(ids({}), (std::vector{c, b, a}));
  EXPECT_EQ(ids({.queue = "other"}), (std::vector{c, b}));
  EXPECT_EQ(ids({.type = "a"}), (std::vector{c, a}));
  EXPECT_EQ(ids({.queue = "other", .type = "a"}), (std::vector{c}));
  EXPECT_EQ(ids({.states = 1u << static_cast<unsigned>(JobState::kCancelled)}), (std::vector{b}));
  EXPECT_EQ(ids({.type = "nobody"}), std::vector<JobId>());
  EXPECT_EQ(ids({.owner_uid = ::getuid()}), (std::vector{c, b, a}));
  EXPECT_EQ(ids({.owner_uid = ::getuid() + 1}), std::vector<JobId>());
  const auto created_ms = static_cast<int64_t>(a.unix_ms());
  EXPECT_EQ(ids({.until_ms = created_ms}), std::vector<JobId>());
  EXPECT_EQ(ids({.since_ms = created_ms}), (std::vector{c, b, a}));
  EXPECT_EQ(ids({.since_ms = created_ms + 3'600'000}), std::vector<JobId>());
}

TEST_F(Looking, ListsPageByPageWithoutALossOrARepetition) {
  std::vector<JobId> all;
  for (int i = 0; i < 25; ++i) all.insert(all.begin(), client().submit({.type = "t"})->id);
  ASSERT_TRUE(client().flush(kPatience));
  std::vector<JobId> seen;
  for (std::vector<JobId> page = ids({.limit = 10}); !page.empty();
       page = ids({.limit = 10, .older_than = seen.back()})) {
    seen.insert(seen.end(), page.begin(), page.end());
  }
  EXPECT_EQ(seen, all);
}

TEST_F(Looking, ListsFiftyDeadLettersUnlessToldOtherwise) {
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(client().submit({.type = "t", .queue_timeout_ms = 1}));
  ASSERT_TRUE(client().flush(kPatience));
  ASSERT_TRUE(eventually([&] { return queue("default").dlq == 60; }));
  const auto page = client().dlq({});
  ASSERT_TRUE(page) << text_of(page);
  EXPECT_EQ(page->size(), 50u);
  const auto larger = client().dlq({.limit = 100});
  ASSERT_TRUE(larger) << text_of(larger);
  EXPECT_EQ(larger->size(), 60u);
}

TEST_F(Looking, RefusesQuestionsOutOfTheirRange) {
  EXPECT_EQ(error_of(client().list({.limit = 0})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().list({.limit = 1'001})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().list({.queue = "a b"})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().dlq({.type = "a/b"})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().dlq({.limit = 101})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().list({.queue = "nowhere"})), Error::kNotFound);
  EXPECT_EQ(error_of(client().queues("nowhere")), Error::kNotFound);
  EXPECT_EQ(error_of(client().queues("a b")), Error::kInvalidRequest);
}

TEST_F(Looking, CountsWhatIsInAQueue) {
  submit({.type = "t", .queue = "mail", .payload = as_bytes("12345")});
  submit({.type = "t", .queue = "mail", .not_before_ms = 4'000'000'000'000});
  Client consumer = connect();
  ASSERT_TRUE(consumer.subscribe({.queue = "mail"}));
  const DeliveredJob job = take(consumer);
  const QueueInfo info = queue("mail");
  EXPECT_EQ(info.name, "mail");
  EXPECT_EQ(info.ready, 0u);
  EXPECT_EQ(info.scheduled, 1u);
  EXPECT_EQ(info.active, 1u);
  EXPECT_EQ(info.bytes, 5u);
  EXPECT_EQ(info.consumers, 1u);
  EXPECT_EQ(info.settings.max_depth, 10'000u);
  const auto all = client().queues();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 2u) << "default and mail";
}

TEST_F(Looking, ExplainsWhyAJobIsWhereItIsToItsEnd) {
  const JobId id = submit({.type = "lonely"});
  const auto waiting = client().explain(id);
  ASSERT_EQ(error_of(waiting), Error::kOk) << text_of(waiting);
  EXPECT_EQ(waiting->awaits, Awaits::kConsumer);
  EXPECT_EQ(waiting->type, "lonely");
  const JobId dead = dead_letter("lonely-too");
  const auto finished = client().explain(dead);
  ASSERT_EQ(error_of(finished), Error::kOk) << text_of(finished);
  EXPECT_EQ(finished->awaits, Awaits::kNothing);
  EXPECT_EQ(finished->reason, Reason::kDoNotRetry);
  EXPECT_EQ(error_of(client().explain(kNoSuchJob)), Error::kNotFound);
}

TEST_F(Looking, TellsTheDaemonsHealth) {
  submit({.type = "t"});
  Client consumer = connect();
  ASSERT_TRUE(consumer.subscribe({}));
  const DeliveredJob job = take(consumer);
  const auto health = client().health();
  ASSERT_TRUE(health) << text_of(health);
  EXPECT_TRUE(health->healthy);
  EXPECT_EQ(health->status, 0u);
  EXPECT_EQ(health->queue_depth, 1u);
  EXPECT_EQ(health->processing, 1u);
  EXPECT_EQ(health->active_workers, 1u);
  EXPECT_EQ(health->capacity, 10'000u);
}

TEST_F(Looking, KeepsDeadLettersWithPayloadAndHistoryUntilTheyAreRedriven) {
  const JobId id = dead_letter("t");
  const auto listed = client().dlq({});
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_FALSE(listed->front().has_payload);
  const auto letter = client().dlq_get(id);
  ASSERT_TRUE(letter) << text_of(letter);
  EXPECT_TRUE(letter->dlq);
  EXPECT_EQ(as_text(letter->payload), "dead");
  ASSERT_EQ(letter->history.size(), 1u);
  EXPECT_EQ(letter->history[0].error, "no good");
  EXPECT_EQ(letter->history[0].reason, Reason::kDoNotRetry);
  EXPECT_EQ(letter->core.state, JobState::kFailed);
  ASSERT_TRUE(client().redrive(id));
  EXPECT_EQ(state(id), JobState::kPending);
  EXPECT_TRUE(client().dlq({})->empty());
  EXPECT_EQ(error_of(client().redrive(id)), Error::kInvalidStatus);
  EXPECT_EQ(error_of(client().redrive(kNoSuchJob)), Error::kNotFound);
}

TEST_F(Looking, ReviewsAndPurgesADeadLetter) {
  const JobId id = dead_letter("t");
  EXPECT_EQ(error_of(client().review(id, "")), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().review(id, std::string(limits::kNoteBytesMax + 1, 'x'))),
            Error::kPayloadTooLarge);
  ASSERT_TRUE(client().review(id, "bad address"));
  const auto letter = client().dlq({});
  ASSERT_TRUE(letter && letter->size() == 1);
  EXPECT_TRUE(letter->front().core.reviewed);
  ASSERT_EQ(letter->front().reviews.size(), 1u);
  EXPECT_EQ(letter->front().reviews[0].resolution, "bad address");
  EXPECT_EQ(letter->front().reviews[0].uid, ::geteuid());
  ASSERT_TRUE(client().purge(id));
  EXPECT_TRUE(client().dlq({})->empty());
  EXPECT_EQ(state(id), JobState::kFailed) << "the job stays known";
  EXPECT_EQ(error_of(client().dlq_get(id)), Error::kNotFound);
  EXPECT_EQ(error_of(client().redrive(id)), Error::kInvalidStatus);
  EXPECT_EQ(error_of(client().purge(kNoSuchJob)), Error::kNotFound);
}

TEST_F(Looking, PagesThroughDeadLettersFromTheOldestLifeOn) {
  std::vector<JobId> letters;
  for (int i = 0; i < 5; ++i) letters.push_back(dead_letter("t"));
  ListFilter filter;
  filter.limit = 2;
  filter.newer_than = 0;
  std::vector<JobId> found;
  for (;;) {
    const auto page = client().dlq(filter);
    ASSERT_TRUE(page);
    for (const JobInfo& job : *page) found.push_back(job.core.id);
    if (page->size() < filter.limit) break;
    filter.newer_than = page->back().core.no;
  }
  EXPECT_EQ(found, letters);
}

TEST_F(Looking, RedrivesAndPurgesManyEachForItself) {
  std::vector<JobId> letters;
  for (int i = 0; i < 4; ++i) letters.push_back(dead_letter("t"));
  ASSERT_TRUE(client().redrive(letters[0]));
  const auto redriven = client().redrive_many(std::span(letters).first(2));
  ASSERT_TRUE(redriven) << text_of(redriven);
  EXPECT_EQ(redriven->done, 1u);
  EXPECT_EQ(redriven->gone, 1u);
  const auto purged = client().purge_many(letters);
  ASSERT_TRUE(purged);
  EXPECT_EQ(purged->done, 2u);
  EXPECT_EQ(purged->gone, 2u);
  EXPECT_TRUE(client().dlq({})->empty());
}

TEST_F(Looking, CancelsAPendingJobOnce) {
  const JobId id = submit({.type = "t"});
  EXPECT_TRUE(client().cancel(id));
  EXPECT_EQ(state(id), JobState::kCancelled);
  EXPECT_EQ(error_of(client().cancel(id)), Error::kInvalidStatus);
  EXPECT_EQ(error_of(client().cancel(kNoSuchJob)), Error::kNotFound);
}

TEST_F(Looking, CancelsAJobInHandOnlyWhenTold) {
  const JobId id = submit({.type = "t"});
  Client consumer = connect();
  ASSERT_TRUE(consumer.subscribe({}));
  const DeliveredJob job = take(consumer);
  EXPECT_EQ(error_of(client().cancel(id)), Error::kInvalidStatus);
  EXPECT_FALSE(consumer.cancel_requested(job));
  EXPECT_TRUE(client().cancel(id, true));
  EXPECT_TRUE(eventually([&] { return consumer.cancel_requested(job); }));
  EXPECT_EQ(state(id), JobState::kAssigned);
  EXPECT_EQ(decided(consumer, consumer.complete(job)), Error::kOk);
  EXPECT_EQ(state(id), JobState::kCancelled);
}

TEST_F(Looking, PausesDrainsAndResumesAQueue) {
  submit({.type = "t"});
  ASSERT_TRUE(client().queue_control(QueueAction::kPause, "default"));
  EXPECT_TRUE(queue("default").paused);
  Client consumer = connect();
  ASSERT_TRUE(consumer.subscribe({}));
  EXPECT_FALSE(*consumer.next(kNotAtAll));
  ASSERT_TRUE(client().queue_control(QueueAction::kResume, "default"));
  EXPECT_EQ(decided(consumer, consumer.complete(take(consumer))), Error::kOk);
  ASSERT_TRUE(client().queue_control(QueueAction::kDrain, "default"));
  EXPECT_TRUE(queue("default").draining);
  const auto refused = client().submit({.type = "t"});
  EXPECT_EQ(error_of(client().wait(*refused, kPatience)), Error::kUnavailable);
  EXPECT_EQ(error_of(client().queue_control(QueueAction::kPause, "nowhere")), Error::kNotFound);
  EXPECT_EQ(error_of(client().queue_control(QueueAction::kPause, "a b")), Error::kInvalidRequest);
}

TEST_F(Looking, SaysWhenNoAnswerComesInTime) {
  Client impatient = connect({.answer_timeout_ms = 30});
  const JobId id = submit({.type = "t"});
  ASSERT_TRUE(daemon_.freeze_engine());
  EXPECT_EQ(error_of(impatient.get(id)), Error::kRequestTimeout);
  EXPECT_EQ(error_of(impatient.cancel(kNoSuchJob)), Error::kRequestTimeout);
  EXPECT_EQ(error_of(impatient.subscribe({})), Error::kRequestTimeout);
  daemon_.thaw_engine();
  // The answer that nobody waits for any more is not taken for another's.
  Client patient = connect();
  EXPECT_TRUE(impatient.flush(kPatience));
  const auto info = patient.get(id);
  ASSERT_TRUE(info);
  EXPECT_TRUE(eventually([&] {
    const auto late = impatient.get(id);
    return late && late->core.id == id;
  }));
}

}  // namespace
}  // namespace pqd::test
