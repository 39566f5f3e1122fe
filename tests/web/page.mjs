// The script of the page in browser.test.mjs: lets the test make calls from within the page.
import {Store, callsOf} from './calls.mjs';

// "" or what went wrong.
window.makeCall = async (url, format, name) => {
  try {
    await callsOf(format)[name](new Store(url, format));
    return '';
  } catch (error) {
    return `${error.code ?? ''} ${error.message}`;
  }
};
