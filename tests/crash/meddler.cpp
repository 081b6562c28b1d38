#include "tests/crash/meddler.h"

#include "tests/support/load/load_process.h"

namespace pqd::test {
namespace {

constexpr uint64_t kListed = 20;
constexpr uint64_t kCancelledMax = 3;

std::string told(const char* what, const Failure& failure) {
  return std::string("an operator cannot ") + what + ": " + failure.text;
}

std::string control(const std::string& socket, const std::string& queue, QueueAction action,
                    const char* what) {
  auto client = load_client(socket, "operator");
  if (!client) return told("connect", client.error());
  const auto done = client->queue_control(action, queue);
  // A queue is made by its first job.
  if (done || done.error().error == Error::kNotFound) return "";
  return told(what, done.error());
}

}  // namespace

std::string Meddler::pause() {
  ++pauses_;
  return control(socket_, queue_, QueueAction::kPause, "pause");
}

std::string Meddler::resume() { return control(socket_, queue_, QueueAction::kResume, "resume"); }

std::string Meddler::cancel_some() {
  auto client = load_client(socket_, "operator");
  if (!client) return told("connect", client.error());
  constexpr uint8_t kUnfinished = 1u << static_cast<unsigned>(JobState::kPending) |
                                  1u << static_cast<unsigned>(JobState::kAssigned) |
                                  1u << static_cast<unsigned>(JobState::kProcessing);
  const auto jobs = client->list({.queue = queue_, .states = kUnfinished, .limit = kListed});
  if (!jobs) return jobs.error().error == Error::kNotFound ? "" : told("list", jobs.error());
  for (uint64_t left = 1 + below_(kCancelledMax); left > 0 && !jobs->empty(); --left) {
    const JobId& id = (*jobs)[below_(jobs->size())].core.id;
    const auto done = client->cancel(id, below_(2) == 0);
    cancels_ += done ? 1u : 0u;
    // Meanwhile it may be in somebody's hands, at its end, or gone with an engine.
    if (!done && done.error().error != Error::kNotFound && done.error().error != Error::kInvalidStatus)
      return told("cancel", done.error());
  }
  return "";
}

}  // namespace pqd::test
