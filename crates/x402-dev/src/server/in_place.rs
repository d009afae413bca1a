//! Polling again where one stands.
//!
//! A connection wakes itself for each request with a body: whoever reads the body asks for it while the connection is
//! being polled. A runtime queues such a task and wakes another worker to look for work, which finds none. Here the
//! connection is polled again at once, which saves that worker's way for each request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// How often a future is polled again before others get their turn: what hyper allows itself.
const TURNS: usize = 16;

/// Nobody polls: a wake is for the task.
const RESTING: u8 = 0;
/// It is being polled: a wake means once more.
const POLLED: u8 = 1;
/// It was woken while it was being polled.
const AGAIN: u8 = 2;

/// A future that is polled again at once when it was woken while it was being polled.
#[derive(Debug)]
pub(super) struct InPlace<F> {
    future: F,
    bell: Arc<Bell>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Bell {
    task: AtomicWaker,
    state: AtomicU8,
}

impl<F> InPlace<F> {
    /// `future`, polled so.
    pub(super) fn new(future: F) -> Self {
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        Self { future, bell, waker }
    }
}

impl<F> InPlace<Pin<&mut F>> {
    /// The future itself.
    pub(super) fn inner(&mut self) -> Pin<&mut F> {
        self.future.as_mut()
    }
}

impl<F: Future + Unpin> Future for InPlace<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { future, bell, waker } = &mut *self;
        bell.task.register(context.waker());
        for _ in 0..TURNS {
            bell.state.store(POLLED, Ordering::SeqCst);
            if let Poll::Ready(output) = Pin::new(&mut *future).poll(&mut Context::from_waker(waker)) {
                return Poll::Ready(output);
            }
            if bell.state.swap(RESTING, Ordering::SeqCst) == POLLED {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let woken = self.state.compare_exchange(POLLED, AGAIN, Ordering::SeqCst, Ordering::SeqCst);
        if woken == Err(RESTING) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll<F: Future + Unpin>(future: &mut InPlace<F>, woken: &Arc<Woken>) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
    }

    #[test]
    fn who_wakes_himself_is_polled_again_and_his_task_is_not_queued() {
        let (mut turns, woken) = (0, Arc::default());
        let mut future = InPlace::new(poll_fn(|context| {
            turns += 1;
            context.waker().wake_by_ref();
            if turns == 3 { Poll::Ready(turns) } else { Poll::Pending }
        }));
        assert_eq!(poll(&mut future, &woken), Poll::Ready(3));
        assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn who_never_stops_waking_himself_gives_others_their_turn() {
        let (mut turns, woken) = (0, Arc::default());
        let mut future = InPlace::new(poll_fn(|context| {
            turns += 1;
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        assert_eq!(poll(&mut future, &woken), Poll::Pending);
        drop(future);
        assert_eq!((turns, woken.0.load(Ordering::SeqCst)), (TURNS, 1));
    }

    #[test]
    fn a_wake_while_nobody_polls_reaches_the_task_once_for_each_rest() {
        let (kept, woken) = (Mutex::new(None), Arc::default());
        let mut future = InPlace::new(poll_fn(|context| {
            *kept.lock().expect("nobody panics while holding it") = Some(context.waker().clone());
            Poll::<()>::Pending
        }));
        for rests in 1..4 {
            assert_eq!(poll(&mut future, &woken), Poll::Pending);
            let waker = kept.lock().expect("nobody panics while holding it").clone().expect("it was polled");
            waker.wake();
            assert_eq!(woken.0.load(Ordering::SeqCst), rests);
        }
    }
}
