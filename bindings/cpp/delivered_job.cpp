#include "bindings/cpp/delivered_job.h"

namespace pqd {

DeliveredJob::DeliveredJob(Bytes record, PartitionNo partition)
    : record_(std::move(record)), partition_(partition), stop_(std::make_shared<bool>(false)) {
  if (auto view = read_delivery_record(record_)) view_ = *view;
}

}  // namespace pqd
