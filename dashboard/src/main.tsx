/** Draws the dashboard into the page. */
import { render } from "preact";
import { App } from "./views/app.js";

const page = document.getElementById("page");
if (page !== null) render(<App />, page);
