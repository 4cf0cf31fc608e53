//! Against real Xpra servers of both generations, under private virtual displays.
